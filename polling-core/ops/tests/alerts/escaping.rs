//! Whatever a queue is called, what reads the files reads that name.

use polling_ops::alerts::{Alerts, Method, Service, Watched};
use proptest::{prelude::*, test_runner::Config};

use super::{feeds, nagios_of_prometheus, watched};

/// All alerts on one queue of this name.
fn named(queue: &str) -> Alerts {
    let mut channel = feeds();
    channel.job_types[0].queue = Some(queue.to_owned());
    Alerts::of(&Watched {
        channels: vec![channel],
        ..Watched::default()
    })
}

/// The value of `key` in the first line that has it after `after`.
fn value<'a>(text: &'a str, after: &str, key: &str) -> &'a str {
    let rest = &text[text.find(after).unwrap()..];
    let mut lines = rest.lines().map(str::trim_start);
    let value = lines.find_map(|line| line.strip_prefix(key)).unwrap();
    value.trim_start()
}

/// What is in single quotes of YAML.
fn yaml(text: &str) -> String {
    let inner = text.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
    assert!(!inner.replace("''", "").contains('\''), "{text}");
    inner.replace("''", "'")
}

/// The last argument of a check command, as Nagios hands it to a program by way of a shell.
fn nagios(line: &str) -> String {
    let mut text = String::new();
    let mut chars = line.chars();
    // A comment begins at a semicolon, unless there is a backslash before it, which is taken away.
    for char in chars.by_ref() {
        match char {
            ';' if text.ends_with('\\') => {
                text.pop();
                text.push(';');
            }
            ';' => panic!("a comment begins: {line}"),
            char => text.push(char),
        }
    }
    let mut arguments = vec![String::new()];
    for char in text.chars() {
        let argument = arguments.last_mut().unwrap();
        match char {
            '!' if argument.ends_with('\\') => {
                argument.pop();
                argument.push('!');
            }
            '!' => arguments.push(String::new()),
            char => argument.push(char),
        }
    }
    assert_eq!(arguments.len(), 7, "{line}");
    let argument = arguments.pop().unwrap().replace("$$", "\u{0}");
    assert!(!argument.contains('$'), "a macro begins: {line}");
    let shell = argument.replace('\u{0}', "$").replace("'\\''", "\u{0}");
    assert!(!shell.contains('\''), "the quotes end: {line}");
    shell.replace('\u{0}', "'")
}

/// The name of the queue that a query asks for.
fn queue_of(query: &str) -> String {
    let mut chars = query.split_once("queue=\"").unwrap().1.chars();
    let mut name = String::new();
    loop {
        match chars.next().unwrap() {
            '"' => return name,
            '\\' => match chars.next().unwrap() {
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    let code = u32::from_str_radix(&digits, 16).unwrap();
                    name.push(char::from_u32(code).unwrap());
                }
                char => name.push(char),
            },
            char => name.push(char),
        }
    }
}

proptest! {
    #![proptest_config(Config::with_cases(64))]

    #[test]
    fn a_name_is_read_as_it_was_written(queue in "[ -~äß\\t\\n]{1,30}|[;!$'\"\\\\%{}|]{1,10}") {
        let alerts = named(&queue);
        let expr = alerts.prometheus_rules();
        let expr = yaml(value(&expr, "alert: PollingQueueIsLong", "expr:"));
        prop_assert_eq!(queue_of(&expr), &*queue);
        let cfg = alerts.nagios(&nagios_of_prometheus());
        let command = value(&cfg, "service_description     posts queue-size", "check_command");
        prop_assert_eq!(queue_of(&nagios(command)), &*queue);
    }
}

#[test]
fn the_same_is_generated_from_the_same_however_it_is_sorted() {
    let (one, mut other) = (watched(), watched());
    other.services.sort_by(|a, b| a.name.cmp(&b.name));
    let all = |watched: &Watched| {
        let alerts = Alerts::of(watched);
        [
            alerts.prometheus_rules(),
            alerts.prometheus_tests("rules"),
            alerts.objective_rules(),
            alerts.alertmanager(None),
            alerts.nagios(&nagios_of_prometheus()),
        ]
    };
    assert_eq!(all(&one), all(&other));
}

#[test]
fn every_line_of_yaml_is_one_line() {
    let alerts = named("two\nlines: 'x'");
    let rules = alerts.prometheus_rules();
    assert!(rules.lines().all(|line| !line.starts_with("lines")));
}

#[test]
fn a_check_that_nagios_would_cut_off_is_left_out() {
    let methods = (0..200).map(|number| (format!("Method{number:03}"), Method::default()));
    let service = Service {
        name: "large.v1.Service".to_owned(),
        methods: methods.collect(),
    };
    let alerts = Alerts::of(&Watched {
        services: vec![service],
        ..Watched::default()
    });
    let cfg = alerts.nagios(&nagios_of_prometheus());
    assert!(cfg.lines().all(|line| line.len() < 8_192));
    assert!(cfg.contains("# error-rate of large.v1.Service is left out"));
    assert!(cfg.contains("Method199 error-rate"));
}
