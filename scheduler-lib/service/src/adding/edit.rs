//! A channel written into the text of a configuration: what is there keeps its place and its comments.

use std::str::FromStr;

use polling_model::{ChannelId, JobType};
use toml_edit::{DocumentMut, Item, Table, value};

use crate::config::TransportKind;

/// What is written.
#[derive(Debug)]
pub(super) struct NewChannel<'a> {
    pub(super) id: &'a ChannelId,
    pub(super) redis: Option<&'a str>,
    pub(super) transport: TransportKind,
    pub(super) prefix: Option<&'a str>,
    pub(super) job_types: &'a [NewJobType],
}

/// `posts=5m` or `posts=5m,cushion=20`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewJobType {
    name: JobType,
    /// As it is written; the configuration's own check says what is wrong with it.
    interval: String,
    /// Calls, or a share such as `10%`.
    cushion: Option<String>,
}

impl FromStr for NewJobType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "it needs NAME=INTERVAL or NAME=INTERVAL,cushion=CALLS, such as posts=5m,cushion=20"
                .to_owned()
        };
        let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
        let (interval, cushion) = match rest.split_once(",cushion=") {
            Some((interval, cushion)) => (interval, Some(cushion.to_owned())),
            None => (rest, None),
        };
        Ok(Self {
            name: name.parse().map_err(|error| format!("{name:?}: {error}"))?,
            interval: interval.to_owned(),
            cushion,
        })
    }
}

/// The text with the channel; `None` if it has one of that name.
pub(super) fn add(text: &str, channel: &NewChannel<'_>) -> Result<Option<String>, String> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| error.to_string())?;
    let channels = document
        .entry("channels")
        .or_insert_with(|| Item::Table(implicit()));
    let channels = channels
        .as_table_mut()
        .ok_or("channels is no table: write each channel as [channels.NAME]")?;
    if channels.contains_key(channel.id.as_str()) {
        return Ok(None);
    }
    channels.insert(channel.id.as_str(), Item::Table(table(channel)));
    Ok(Some(document.to_string()))
}

fn table(channel: &NewChannel<'_>) -> Table {
    let mut table = Table::new();
    if let Some(redis) = channel.redis {
        table.insert("redis", value(redis));
    }
    let mut queues = Table::new();
    if channel.transport == TransportKind::Redis {
        queues.insert("transport", value("redis"));
    }
    if let Some(prefix) = channel.prefix {
        queues.insert("prefix", value(prefix));
    }
    if !queues.is_empty() {
        table.insert("queues", Item::Table(queues));
    }
    let mut job_types = implicit();
    for job_type in channel.job_types {
        let mut rules = Table::new();
        rules.insert("interval", value(&job_type.interval));
        if let Some(cushion) = &job_type.cushion {
            let calls = cushion.parse::<i64>();
            rules.insert("cushion", calls.map_or_else(|_| value(cushion), value));
        }
        job_types.insert(job_type.name.as_str(), Item::Table(rules));
    }
    table.insert("job_types", Item::Table(job_types));
    table
}

/// A table that is only named where it has values of its own.
fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# ours\n[admin]\nlisten = \"127.0.0.1:7070\"   # loopback\n\n[channels.github]\nredis = \"redis://a/\"\n\n[channels.github.job_types.issues]\ninterval = \"1m\"\n";

    #[test]
    fn what_is_there_keeps_its_place_and_its_comments() {
        let id = "mastodon".parse().unwrap();
        let job_types = ["posts=5m,cushion=20", "likes=90s,cushion=10%", "tags=1h"];
        let job_types = job_types.map(|text| text.parse().unwrap());
        let channel = NewChannel {
            id: &id,
            redis: Some("redis://b/"),
            transport: TransportKind::Redis,
            prefix: Some("our-mastodon"),
            job_types: &job_types,
        };
        let after = add(BEFORE, &channel).unwrap().unwrap();
        let added = "\n[channels.mastodon]\nredis = \"redis://b/\"\n\n\
            [channels.mastodon.queues]\ntransport = \"redis\"\nprefix = \"our-mastodon\"\n\n\
            [channels.mastodon.job_types.posts]\ninterval = \"5m\"\ncushion = 20\n\n\
            [channels.mastodon.job_types.likes]\ninterval = \"90s\"\ncushion = \"10%\"\n\n\
            [channels.mastodon.job_types.tags]\ninterval = \"1h\"\n";
        assert_eq!(after, format!("{BEFORE}{added}"));
        assert_eq!(add(&after, &channel).unwrap(), None);
        assert!(
            add("", &channel)
                .unwrap()
                .unwrap()
                .starts_with("[channels.mastodon]\n")
        );
    }

    #[test]
    fn a_job_type_that_is_none_is_refused() {
        for wrong in ["", "posts", "=5m", "po sts=5m"] {
            assert!(wrong.parse::<NewJobType>().is_err(), "{wrong}");
        }
    }
}
