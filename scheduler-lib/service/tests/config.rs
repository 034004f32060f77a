//! What a configuration is, and what its errors say.
#![allow(clippy::unwrap_used)]

use std::{fs, time::Duration};

use polling_model::{ChannelId, JobType};
use scheduler::{
    cli::EXAMPLE_CONFIG,
    config::{Config, ConfigError, StoreKind},
};

const SMALL: &str = r#"
[channels.mastodon]
redis = "redis://:hunter2hunter2@127.0.0.1:6379/0"
[channels.mastodon.job_types.posts]
interval = "5m"
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse("s.toml", text, [])
}

fn with(text: &str, variable: &str, value: &str) -> Result<Config, ConfigError> {
    Config::parse("s.toml", text, [(variable.to_owned(), value.to_owned())])
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

fn mastodon() -> ChannelId {
    "mastodon".parse().unwrap()
}

#[test]
fn a_small_configuration_has_defaults() {
    let config = parse(SMALL).unwrap();
    assert_eq!(config.admin.listen.to_string(), "127.0.0.1:7070");
    let channel = &config.channels[&mastodon()];
    assert_eq!(channel.ring.width_ms(), 60_000);
    assert_eq!(channel.default_level.as_str(), "default");
    let names = channel.queue_names(&mastodon());
    assert_eq!(names.completed, "polling-mastodon-completed");
    assert_eq!(names.dead_letter, "polling-mastodon-dead-letter");
    assert_eq!(
        names.work[&JobType::new("posts").unwrap()],
        "polling-mastodon-posts"
    );
}

#[test]
fn names_of_queues_can_be_set_one_by_one() {
    let text = format!(
        "{SMALL}[channels.mastodon.queues]\nprefix = \"m\"\ncompleted = \"done\"\nwork = {{ posts = \"todo\" }}\n"
    );
    let names = parse(&text).unwrap().channels[&mastodon()].queue_names(&mastodon());
    assert_eq!(
        (names.completed.as_str(), names.dead_letter.as_str()),
        ("done", "m-dead-letter")
    );
    assert_eq!(names.work[&JobType::new("posts").unwrap()], "todo");
}

#[test]
fn the_example_is_valid_and_its_comments_are_the_defaults() {
    let example = parse(EXAMPLE_CONFIG).unwrap();
    let mut uncommented = String::new();
    for line in EXAMPLE_CONFIG.lines() {
        let field = line.strip_prefix("# ").filter(|rest| {
            rest.contains(" = ") && !rest.contains("no default") && !rest.contains("instead of")
        });
        uncommented.push_str(field.unwrap_or(line));
        uncommented.push('\n');
    }
    assert!(
        uncommented
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count()
            > 35,
        "{uncommented}"
    );
    let spelled_out = parse(&uncommented).unwrap();
    let (example, spelled_out) = (
        &example.channels[&mastodon()],
        &spelled_out.channels[&mastodon()],
    );
    assert_eq!(example.limits, spelled_out.limits);
    assert_eq!(example.ring, spelled_out.ring);
    assert_eq!(example.job_types, spelled_out.job_types);
    assert_eq!(example.shards, spelled_out.shards);
    assert_eq!(
        example.queue_names(&mastodon()),
        spelled_out.queue_names(&mastodon())
    );
    assert_eq!(
        example.queues.visibility_timeout,
        spelled_out.queues.visibility_timeout
    );
}

#[test]
fn every_field_of_the_limits_is_in_the_example() {
    let message = error(&format!("{SMALL}[channels.mastodon.limits]\nxyzzy = 1\n"));
    let (_, known) = message.split_once("known are ").unwrap();
    for field in known.split(", ") {
        assert!(
            EXAMPLE_CONFIG.contains(&format!("# {field} = ")),
            "{field} is not explained"
        );
    }
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_nearest() {
    assert_eq!(
        error("[admin]\nlisen = \"127.0.0.1:1\"\n[channels]\n"),
        "s.toml:2: admin: unknown key \"lisen\": did you mean \"listen\"? Known are listen, \
         max_body_size_bytes, max_requests, max_tick_age, proxy, request_timeout, token, token_file, users"
    );
    let text = SMALL.replace("interval", "intervall");
    let message = error(&text);
    assert!(
        message.starts_with("s.toml:5: channels.mastodon.job_types.posts: unknown key \"intervall\": did you mean \"interval\"?"),
        "{message}"
    );
}

#[test]
fn an_unknown_value_is_told_with_the_nearest() {
    assert_eq!(
        error(
            "[channels.x]\nstore = \"memroy\"\n[channels.x.job_types.posts]\ninterval = \"5m\"\n"
        ),
        "s.toml:2: channels.x.store: unknown value \"memroy\": did you mean \"memory\"? Known are memory, redis"
    );
}

#[test]
fn intervals_have_bounds() {
    assert_eq!(
        error(&SMALL.replace("5m", "0s")),
        "s.toml:4: channels.mastodon.job_types.posts: interval is 0s: it needs 1s to 60d"
    );
    assert_eq!(
        error(&SMALL.replace("5m", "61d")),
        "s.toml:4: channels.mastodon.job_types.posts: interval is 61d: it needs 1s to 60d"
    );
    assert!(
        error(&SMALL.replace("5m", "often"))
            .starts_with("s.toml:5: channels.mastodon.job_types.posts.interval: \"often\" is no duration such as \"90s\"")
    );
}

#[test]
fn rules_of_errors_are_told_with_their_place() {
    let errors = |rules: &str| error(&format!("{SMALL}errors = {{ {rules} }}\n"));
    assert_eq!(
        errors("transient = { backoff = { base = \"1s\" } }"),
        "s.toml:6: channels.mastodon.job_types.posts.errors.?.backoff: missing field `max`"
    );
    let message = errors("gon = \"park\"");
    let start = "s.toml:6: channels.mastodon.job_types.posts.errors: unknown value \"gon\": did you mean \"gone\"?";
    assert!(message.starts_with(start), "{message}");
}

#[test]
fn a_whole_table_can_come_from_the_environment() {
    let variable = "POLLING__CHANNELS__MASTODON__REPLICAS";
    let config = with(SMALL, variable, "{ count = 2, timeout = \"1s\" }").unwrap();
    assert_eq!(config.channels[&mastodon()].replicas.unwrap().count, 2);
    assert_eq!(
        with(SMALL, variable, "{ count = 0, timeout = \"1s\" }")
            .unwrap_err()
            .to_string(),
        "environment variable POLLING__CHANNELS__MASTODON__REPLICAS: channels.mastodon.replicas.count: 0: it needs at least 1"
    );
}

#[test]
fn slots_have_bounds() {
    let text = SMALL.replace("redis =", "slot_width = \"2h\"\nredis =");
    assert_eq!(
        error(&text),
        "s.toml:3: channels.mastodon.slot_width: slot width is 7200000 ms: it needs 1000 to 3600000"
    );
}

#[test]
fn a_bad_id_is_told_with_what_is_allowed() {
    let message = error(&SMALL.replace("mastodon", "\"mast odon\""));
    assert!(
        message.starts_with("s.toml:2: ")
            && message.ends_with("channel has ' ' at byte 4: allowed are letters, digits, - and _"),
        "{message}"
    );
}

#[test]
fn off_loopback_a_token_is_needed() {
    let open = format!("[admin]\nlisten = \"0.0.0.0:7070\"\n{SMALL}");
    assert_eq!(
        error(&open),
        "s.toml:2: admin.listen: 0.0.0.0:7070 is not loopback, so others may reach it: set admin.token or admin.token_file"
    );
    let closed = open.replace("[admin]", "[admin]\ntoken = \"0123456789abcdef\"");
    assert!(parse(&closed).is_ok());
    let weak = open.replace("[admin]", "[admin]\ntoken = \"short\"");
    assert_eq!(
        error(&weak),
        "s.toml:2: admin.token: it has 5 bytes: it needs at least 16, such as from `openssl rand -hex 32`"
    );
}

#[test]
fn a_token_can_come_from_a_file() {
    let file = std::env::temp_dir().join(format!("scheduler-token-{}", std::process::id()));
    fs::write(&file, "0123456789abcdef\n").unwrap();
    let text = format!(
        "[admin]\ntoken_file = {:?}\n{SMALL}",
        file.to_str().unwrap()
    );
    let config = parse(&text).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(config.admin.token.unwrap().expose(), "0123456789abcdef");
    let message = error(&text);
    assert!(
        message.starts_with("s.toml:2: admin.token_file: ") && message.contains("cannot be read"),
        "{message}"
    );
}

#[test]
fn a_store_is_named_once() {
    let none = SMALL.replace("redis = ", "# ");
    assert!(
        error(&none).starts_with("s.toml:2: channels.mastodon.redis: missing: redis = "),
        "{}",
        error(&none)
    );
    let memory = SMALL.replace("redis = ", "store = \"memory\"\n# ");
    assert_eq!(
        parse(&memory).unwrap().channels[&mastodon()].store,
        StoreKind::Memory
    );
    let both = SMALL.replace("redis = ", "store = \"memory\"\nredis = ");
    assert_eq!(
        error(&both),
        "s.toml:4: channels.mastodon.redis: store is \"memory\" as well: keep one of the two"
    );
}

#[test]
fn queues_on_redis_have_an_address_and_those_on_sqs_have_none() {
    let with = |text: &str, queues: &str| format!("{text}[channels.mastodon.queues]\n{queues}\n");
    let queues_redis = |text: &str| {
        let config = parse(text).unwrap();
        let found = config.channels[&mastodon()].queues_redis();
        found.map(|url| url.expose().to_owned())
    };
    assert_eq!(queues_redis(SMALL), None);
    let own = queues_redis(&with(SMALL, "transport = \"redis\""));
    assert!(own.is_some_and(|url| SMALL.contains(&url)), "the channel's");
    let other = "transport = \"redis\"\nredis = \"redis://:a-secret@other:1/\"";
    let url = queues_redis(&with(SMALL, other));
    assert_eq!(url.as_deref(), Some("redis://:a-secret@other:1/"));

    let memory = SMALL.replace("redis = ", "store = \"memory\"\n# ");
    let missing = error(&with(&memory, "transport = \"redis\""));
    assert!(
        missing.contains("channels.mastodon.queues.redis: missing: "),
        "{missing}"
    );
    let unused = error(&with(SMALL, "redis = \"redis://:a-secret@other:1/\""));
    assert!(
        unused.contains("channels.mastodon.queues.redis: the queues are on SQS"),
        "{unused}"
    );
    let wrong = error(&with(SMALL, &other.replace("redis://", "http://")));
    assert!(
        wrong.contains("not an address such as redis://") && !wrong.contains("a-secret"),
        "{wrong}"
    );
}

#[test]
fn a_queue_has_one_purpose() {
    let text =
        format!("{SMALL}[channels.mastodon.queues]\ncompleted = \"polling-mastodon-posts\"\n");
    assert_eq!(
        error(&text),
        "s.toml:6: channels.mastodon.queues.work.posts: queue polling-mastodon-posts is channels.mastodon.queues.completed as well: each needs its own"
    );
    let text = format!("{SMALL}[channels.mastodon.queues]\nwork = {{ post = \"x\" }}\n");
    assert_eq!(
        error(&text),
        "s.toml:7: channels.mastodon.queues.work.post: unknown job type \"post\": did you mean \"posts\"? Known are posts"
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let text = "[channels.a]\nstore = \"memory\"\njob_types = {}\n[channels.b]\nstore = \"memory\"\njob_types = {}\n";
    assert_eq!(
        error(text),
        "s.toml:3: channels.a.job_types: no job type: add [channels.a.job_types.NAME]\n\
         s.toml:6: channels.b.job_types: no job type: add [channels.b.job_types.NAME]"
    );
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let message = error("[admin]\nlisten = \n");
    assert!(
        message.starts_with("s.toml:2: this is not TOML: "),
        "{message}"
    );
}

#[test]
fn a_missing_file_is_told_with_what_to_do() {
    let message = Config::load("no/such.toml".as_ref(), [])
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("no/such.toml: this file cannot be read: ")
            && message.contains("example-config"),
        "{message}"
    );
}

#[test]
fn the_environment_overrides_the_file() {
    let config = with(SMALL, "POLLING__ADMIN__LISTEN", "127.0.0.1:9").unwrap();
    assert_eq!(config.admin.listen.port(), 9);
    let config = with(
        SMALL,
        "POLLING__CHANNELS__MASTODON__JOB_TYPES__POSTS__INTERVAL",
        "7m",
    )
    .unwrap();
    let rules = &config.channels[&mastodon()].job_types[&JobType::new("posts").unwrap()];
    assert_eq!(rules.interval, Duration::from_secs(420));
}

#[test]
fn a_variable_deeper_than_any_setting_is_refused() {
    let variable = format!("POLLING{}", "__A".repeat(100_000));
    let problem = with(SMALL, &variable, "1").unwrap_err().to_string();
    assert!(
        problem.contains("deeper than any setting"),
        "{problem:.200}"
    );
    let nested = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(with(SMALL, "POLLING__ADMIN__MAX_REQUESTS", &nested).is_err());
    let dotted = format!("{{a{} = 1}}", ".a".repeat(100_000));
    assert!(with(SMALL, "POLLING__ADMIN__MAX_REQUESTS", &dotted).is_err());
}

#[test]
fn a_key_deeper_than_any_setting_is_refused() {
    let problem = error(&format!("{SMALL}\na{} = 1\n", ".a".repeat(100_000)));
    assert!(problem.starts_with("s.toml:"), "{problem:.200}");
}

#[test]
fn the_environments_texts_become_what_is_needed() {
    let config = with(SMALL, "POLLING__ADMIN__MAX_REQUESTS", "7").unwrap();
    assert_eq!(config.admin.max_requests, 7);
    // What looks like a number stays a text where a text is needed.
    let config = with(SMALL, "POLLING__ADMIN__TOKEN", "12345678901234567890").unwrap();
    assert_eq!(config.admin.token.unwrap().expose(), "12345678901234567890");
}

#[test]
fn a_variable_reaches_keys_that_no_variable_can_spell() {
    let text = SMALL.replace("mastodon", "My-Channel");
    let config = with(
        &text,
        "POLLING__CHANNELS__MY_CHANNEL__DEFAULT_LEVEL",
        "gold",
    )
    .unwrap();
    let id: ChannelId = "My-Channel".parse().unwrap();
    assert_eq!(config.channels[&id].default_level.as_str(), "gold");
}

#[test]
fn an_error_names_the_variable_that_caused_it() {
    assert_eq!(
        with(SMALL, "POLLING__ADMIN__MAX_REQUESTS", "many")
            .unwrap_err()
            .to_string(),
        "environment variable POLLING__ADMIN__MAX_REQUESTS: admin.max_requests: invalid type: string \"many\", expected usize"
    );
    let message = with(SMALL, "POLLING__ADMIN__LISTN", "x")
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("environment variable POLLING__ADMIN__LISTN: admin: unknown key \"listn\": did you mean \"listen\"?"),
        "{message}"
    );
    assert_eq!(
        with(SMALL, "POLLING__CHANNELS__MASTODON__REDIS__URL", "x")
            .unwrap_err()
            .to_string(),
        "environment variable POLLING__CHANNELS__MASTODON__REDIS__URL: channels.mastodon.redis: this is a single value: nothing can be set within it"
    );
}

#[test]
fn other_variables_are_left_alone() {
    assert!(with(SMALL, "POLLING_SQS_ENDPOINT", "x").is_ok());
}

#[test]
fn secrets_do_not_show() {
    let text = format!("[admin]\ntoken = \"0123456789abcdef\"\n{SMALL}");
    let shown = format!("{:?}", parse(&text).unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains("0123456789abcdef"),
        "{shown}"
    );
    for wrong in [
        text.replace("redis://", "http://"),
        text.replace("\"0123456789abcdef\"", "123456789"),
        text.replace("token =", "token = 1\ntoken_file ="),
    ] {
        let message = error(&wrong);
        for secret in ["hunter2", "0123456789abcdef", "123456789"] {
            assert!(!message.contains(secret), "{message}");
        }
    }
}

#[test]
fn a_secret_one_table_too_high_does_not_show() {
    let text = "[channels]\nredis = \"redis://:hunter2@127.0.0.1:6379/0\"\n";
    assert_eq!(
        error(text),
        "s.toml:2: channels.redis: a text cannot stand here; it is not shown, since secrets go by this name"
    );
}

#[test]
fn an_interval_shorter_than_a_slot_is_warned_of() {
    let config = parse(&SMALL.replace("5m", "10s")).unwrap();
    assert_eq!(
        config.channels[&mastodon()].warnings(),
        [
            "job type posts has an interval of 10s, shorter than a slot: its jobs are polled once a slot, every 1m"
        ]
    );
}

#[test]
fn a_healthy_loop_is_never_too_old() {
    let text = format!("[admin]\nmax_tick_age = \"500ms\"\n{SMALL}");
    assert_eq!(
        error(&text),
        "s.toml:2: admin.max_tick_age: 500ms is too short for limits.tick of channel mastodon: it needs at least 1s"
    );
}

#[test]
fn shards_have_bounds_and_are_of_redis() {
    let text = |shards: &str| {
        SMALL.replace(
            "[channels.mastodon.job",
            &format!("shards = {shards}\n[channels.mastodon.job"),
        )
    };
    assert_eq!(parse(&text("12")).unwrap().channels[&mastodon()].shards, 12);
    for shards in ["0", "257"] {
        let message = error(&text(shards));
        assert!(
            message.contains(&format!(
                "s.toml:4: channels.mastodon.shards: {shards}: it needs 1 to 256"
            )),
            "{message}"
        );
    }
    let memory = text("2").replace(
        "redis = \"redis://:hunter2hunter2@127.0.0.1:6379/0\"",
        "store = \"memory\"",
    );
    assert!(error(&memory).contains("a store in memory has no shards"));
}

#[test]
fn sentinels_need_the_name_that_they_watch() {
    let text = |url: &str| SMALL.replace("redis://:hunter2hunter2@127.0.0.1:6379/0", url);
    parse(&text(
        "redis+sentinel://:hunter2@a:26379,b/0?master=polling",
    ))
    .unwrap();
    let message = error(&text("redis+sentinel://:hunter2@a:26379,b/0"));
    assert!(
        message.contains("?master=NAME") && !message.contains("hunter2"),
        "{message}"
    );
}

#[test]
fn a_file_of_certificates_that_is_none_is_told() {
    let text = |tls: &str| {
        SMALL.replace(
            "[channels.mastodon.job",
            &format!("redis_tls = {tls}\n[channels.mastodon.job"),
        )
    };
    let message = error(&text("{ ca_file = \"/none/ca.pem\" }"));
    assert!(
        message.contains("channels.mastodon.redis_tls.ca_file: /none/ca.pem cannot be read"),
        "{message}"
    );
    let file = std::env::temp_dir().join(format!("config-{}.pem", std::process::id()));
    fs::write(
        &file,
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let path = file.display();
    let message = error(&text(&format!("{{ cert_file = \"{path}\" }}")));
    assert!(
        message.contains("cert_file: key_file is missing: set both"),
        "{message}"
    );
    let message = error(&text(&format!(
        "{{ cert_file = \"{path}\", key_file = \"{path}\" }}"
    )));
    assert!(
        message.contains("key_file: ") && message.contains("has no line \"PRIVATE KEY-----\""),
        "{message}"
    );
    let parsed = parse(&text(&format!("{{ ca_file = \"{path}\" }}")));
    fs::remove_file(&file).unwrap();
    assert_eq!(parsed.is_ok(), cfg!(feature = "redis-tls"), "{parsed:?}");
}

#[test]
fn objectives_have_usual_shares_and_periods() {
    let text = format!(
        "{SMALL}[channels.mastodon.objectives]\nstaleness.gold = {{ within = \"5m\" }}\n\
         lateness = {{ within = \"30s\", share = 0.999, period = \"28d\" }}\n"
    );
    let told = parse(&text).unwrap().objectives();
    let told: Vec<_> = told.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "mastodon gold: 99% of the events published within 5m, over 30d",
            "mastodon: 99.9% of the jobs sent within 30s, over 28d"
        ]
    );
    assert!(parse(SMALL).unwrap().objectives().is_empty());
}

#[test]
fn an_objective_out_of_bounds_is_told_with_its_place() {
    let text = format!(
        "{SMALL}[channels.mastodon.objectives]\nstaleness.gold = {{ within = \"5m\", share = 0.9 }}\n"
    );
    let said = error(&text);
    assert!(
        said.starts_with(
            "s.toml:7: channels.mastodon.objectives.staleness.gold.share: it needs less than 1"
        ),
        "{said}"
    );
}
