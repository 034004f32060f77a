//! The rules between fields, and the bounds that their types do not hold.

use std::collections::BTreeMap;

use polling_model::{ChannelId, JobType, ServiceLevel};
use scheduler_lib::store::MAX_SHARDS;

use super::{
    Admin, ChannelConfig, Config, ConsulSettings, Graphite, Problem, Settings, StoreKind,
    TransportKind, document::Document,
};
use scheduler_web::{Secret, suggest};

use crate::settings::{ALERTS, NO_LEVELS};

/// So many ticks without a look at the slots are no accident.
const MIN_TICKS_TO_BE_DEAD: u32 = 5;

/// Longest name of a queue on SQS, in characters.
const MAX_QUEUE_NAME_LEN: usize = 80;

/// Fills in the token from its file, and returns everything that is wrong.
pub(super) fn check(config: &mut Config, document: &Document<'_>) -> Vec<Problem> {
    let mut checker = Checker {
        document,
        problems: Vec::new(),
    };
    checker.admin(&mut config.admin);
    if config.channels.is_empty() {
        checker.report(&["channels"], "no channel: add [channels.NAME]".to_owned());
    }
    for (id, channel) in &mut config.channels {
        checker.tls(id, channel);
        checker.store(id, channel);
        checker.transport(id, channel);
        checker.rules(id, channel);
        checker.work_names(id, channel);
        checker.tick(id, channel, &config.admin);
        checker.objectives(id, channel);
    }
    checker.queue_names(&config.channels);
    checker.scaling(config);
    checker.graphite(&config.graphite);
    checker.settings(&config.settings);
    checker.names_of_settings(config);
    checker.problems
}

struct Checker<'a> {
    document: &'a Document<'a>,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn report(&mut self, path: &[&str], what: String) {
        let path: Vec<_> = path.iter().map(|key| (*key).to_owned()).collect();
        self.problems.push(self.document.problem(&path, what));
    }

    fn admin(&mut self, admin: &mut Admin) {
        for (path, what) in admin.settle() {
            let path: Vec<_> = path.iter().map(String::as_str).collect();
            self.report(&[&["admin"][..], &path].concat(), what);
        }
    }

    /// Reads the certificates.
    fn tls(&mut self, id: &ChannelId, channel: &mut ChannelConfig) {
        match channel.redis_tls.read() {
            Ok(options) => channel.link = options,
            Err((key, what)) => {
                let at = ["channels", id.as_str(), "redis_tls", key];
                let depth = if key.is_empty() { 3 } else { 4 };
                self.report(&at[..depth], what);
            }
        }
    }

    fn store(&mut self, id: &ChannelId, channel: &ChannelConfig) {
        let at = ["channels", id.as_str(), "redis"];
        match (&channel.redis, channel.store) {
            (None, StoreKind::Redis) => self.report(
                &at,
                "missing: redis = \"redis://host:6379/0\", or store = \"memory\" for a trial"
                    .to_owned(),
            ),
            (Some(_), StoreKind::Memory) => {
                self.report(
                    &at,
                    "store is \"memory\" as well: keep one of the two".to_owned(),
                );
            }
            (Some(url), StoreKind::Redis) => self.address(&at, url),
            (None, StoreKind::Memory) => {}
        }
        let at = ["channels", id.as_str(), "shards"];
        if !(1..=MAX_SHARDS).contains(&channel.shards) {
            let what = format!("{}: it needs 1 to {MAX_SHARDS}", channel.shards);
            self.report(&at, what);
        } else if channel.shards > 1 && channel.store == StoreKind::Memory {
            self.report(&at, "a store in memory has no shards".to_owned());
        }
        if let Some(replicas) = &channel.replicas {
            let at = ["channels", id.as_str(), "replicas", "count"];
            if replicas.count == 0 {
                self.report(&at, "0: it needs at least 1".to_owned());
            }
            if channel.store == StoreKind::Memory {
                self.report(&at[..3], "a store in memory has no replicas".to_owned());
            }
        }
    }

    fn transport(&mut self, id: &ChannelId, channel: &ChannelConfig) {
        let at = ["channels", id.as_str(), "queues", "redis"];
        match (channel.queues.transport, &channel.queues.redis) {
            (TransportKind::Redis, Some(url)) => self.address(&at, url),
            (TransportKind::Redis, None) if channel.redis.is_none() => self.report(
                &at,
                "missing: the channel has no redis, so its queues need redis = \"redis://host:6379/0\""
                    .to_owned(),
            ),
            (TransportKind::Sqs, Some(_)) => self.report(
                &at,
                "the queues are on SQS: set transport = \"redis\" as well, or remove this".to_owned(),
            ),
            _ => {}
        }
    }

    /// The address may hold a password, so it is not shown.
    fn address(&mut self, at: &[&str], url: &Secret) {
        let scheme = url
            .expose()
            .split_once("://")
            .map_or("", |(scheme, _)| scheme);
        match scheme {
            "redis+sentinel" | "rediss+sentinel" if !url.expose().contains("master=") => {
                let what = "an address of sentinels ends in ?master=NAME, the name that they watch";
                self.report(at, what.to_owned());
            }
            "redis" | "redis+unix" | "unix" | "redis+sentinel" => {}
            "rediss" | "rediss+sentinel" if cfg!(feature = "redis-tls") => {}
            "rediss" | "rediss+sentinel" => {
                let what = "this program was built without TLS to Redis: build it with --features redis-tls";
                self.report(at, what.to_owned());
            }
            _ => {
                let what = "not an address such as redis://user:password@host:6379/0";
                self.report(at, what.to_owned());
            }
        }
    }

    /// A loop that ticks seldom would look dead between two ticks.
    fn tick(&mut self, id: &ChannelId, channel: &ChannelConfig, admin: &Admin) {
        let least = channel.limits.tick * MIN_TICKS_TO_BE_DEAD;
        if admin.max_tick_age < least {
            let text = scheduler_lib::duration::text;
            let what = format!(
                "{} is too short for limits.tick of channel {id}: it needs at least {}",
                text(admin.max_tick_age),
                text(least)
            );
            self.report(&["admin", "max_tick_age"], what);
        }
    }

    fn rules(&mut self, id: &ChannelId, channel: &ChannelConfig) {
        if let Err(error) = channel.limits.validate() {
            self.report(&["channels", id.as_str(), "limits"], error.to_string());
        }
        let at = ["channels", id.as_str(), "job_types"];
        if channel.job_types.is_empty() {
            let what = format!("no job type: add [channels.{id}.job_types.NAME]");
            self.report(&at, what);
        }
        for (job_type, rules) in &channel.job_types {
            if let Err(error) = rules.validate() {
                self.report(&[at[0], at[1], at[2], job_type.as_str()], error.to_string());
            }
        }
    }

    fn work_names(&mut self, id: &ChannelId, channel: &ChannelConfig) {
        let known: Vec<_> = channel.job_types.keys().map(JobType::as_str).collect();
        for job_type in channel.queues.work.keys() {
            if !channel.job_types.contains_key(job_type) {
                let at = ["channels", id.as_str(), "queues", "work", job_type.as_str()];
                self.report(&at, suggest::unknown("job type", job_type.as_str(), &known));
            }
        }
    }

    fn objectives(&mut self, id: &ChannelId, channel: &ChannelConfig) {
        for (path, objective) in channel.objectives.of(id) {
            if let Err(error) = objective.validate() {
                let at = ["channels", id.as_str(), "objectives"];
                let at: Vec<_> = at.into_iter().chain(path).chain([error.field]).collect();
                self.report(&at, format!("it needs {}", error.bounds));
            }
        }
    }

    fn graphite(&mut self, graphite: &Graphite) {
        let pushes = graphite.pushes();
        if let Some(Err(error)) = pushes.map(|config| config.resolved_prefix()) {
            let what = format!("{error}; {{host}} is known");
            self.report(&["graphite", "prefix"], what);
        }
    }

    fn settings(&mut self, settings: &Settings) {
        if let Some(redis) = &settings.redis {
            self.address(&["settings", "redis", "url"], &redis.url);
        }
        let consul = settings.consul.as_ref().map(ConsulSettings::client);
        if let Some(Err((key, what))) = consul {
            self.report(&["settings", "consul", key], what);
        }
    }

    /// Names that keys of settings have for something else.
    fn names_of_settings(&mut self, config: &Config) {
        let settings = &config.settings;
        if !settings.is_given() {
            if settings.keep.is_some() {
                let what = "there is nothing to keep: name a source as well, file, redis or consul";
                self.report(&["settings", "keep"], what.to_owned());
            }
            return;
        }
        let taken = |name: &str, by: &str| {
            format!(
                "{name}/ is where the settings of {by} are: name it otherwise, or leave [settings] out"
            )
        };
        for (id, channel) in &config.channels {
            let at = ["channels", id.as_str(), "job_types"];
            if id.as_str() == ALERTS {
                self.report(&at[..2], taken(ALERTS, "alerts"));
            }
            for (job_type, rules) in &channel.job_types {
                for level in rules.levels.keys().map(ServiceLevel::as_str) {
                    if let Some((_, by)) = NO_LEVELS.iter().find(|(name, _)| *name == level) {
                        let at = [at[0], at[1], at[2], job_type.as_str(), "levels", level];
                        self.report(&at, taken(&format!("{id}/{job_type}/{level}"), by));
                    }
                }
            }
        }
    }

    fn scaling(&mut self, config: &Config) {
        for (id, job_types) in &config.scaling.channels {
            let at = ["scaling", "channels", id.as_str()];
            let Some(channel) = config.channels.get(id) else {
                let known: Vec<_> = config.channels.keys().map(ChannelId::as_str).collect();
                self.report(&at, suggest::unknown("channel", id.as_str(), &known));
                continue;
            };
            for (job_type, rules) in job_types {
                let at = [at[0], at[1], at[2], job_type.as_str()];
                if !channel.job_types.contains_key(job_type) {
                    let known: Vec<_> = channel.job_types.keys().map(JobType::as_str).collect();
                    self.report(&at, suggest::unknown("job type", job_type.as_str(), &known));
                } else if let Err(error) = rules.0.validate() {
                    let what = format!("it needs {}", error.bounds);
                    self.report(&[at[0], at[1], at[2], at[3], error.rule], what);
                }
            }
        }
    }

    /// A queue that serves two purposes would mix their messages.
    fn queue_names(&mut self, channels: &BTreeMap<ChannelId, ChannelConfig>) {
        let mut used: BTreeMap<String, String> = BTreeMap::new();
        for (id, channel) in channels {
            let names = channel.queue_names(id);
            let work = names
                .work
                .into_iter()
                .map(|(job_type, name)| (format!("work.{job_type}"), name));
            let all = [
                ("completed".to_owned(), names.completed),
                ("dead_letter".to_owned(), names.dead_letter),
            ];
            for (purpose, name) in all.into_iter().chain(work) {
                let mut path = vec!["channels", id.as_str(), "queues"];
                path.extend(purpose.split('.'));
                if let Some(what) = bad_queue_name(&name) {
                    self.report(&path, what);
                }
                let purpose = format!("channels.{id}.queues.{purpose}");
                if let Some(other) = used.insert(name.clone(), purpose) {
                    self.report(
                        &path,
                        format!("queue {name} is {other} as well: each needs its own"),
                    );
                }
            }
        }
    }
}

fn bad_queue_name(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > MAX_QUEUE_NAME_LEN {
        return Some(format!(
            "the queue's name {name:?} has {} characters: it needs 1 to {MAX_QUEUE_NAME_LEN}",
            name.len()
        ));
    }
    let found = name.chars().find(|c| !allowed(*c))?;
    Some(format!(
        "the queue's name {name:?} has {found:?}: allowed are letters, digits, - and _"
    ))
}
