//! Which settings may change, and where each stands.

use polling_ops::config::{Catalog, Setting};

/// Of the job types whose workers are counted.
const SCALING: [(&str, &str, &str); 12] = [
    (
        "{channel}/{job_type}/scaling/min",
        "channels.{channel}.scaling.{job_type}.min",
        "Fewest workers",
    ),
    (
        "{channel}/{job_type}/scaling/max",
        "channels.{channel}.scaling.{job_type}.max",
        "Most workers",
    ),
    (
        "{channel}/{job_type}/scaling/objective",
        "channels.{channel}.scaling.{job_type}.objective",
        "How old a job in the queue may get, at the 99th percentile",
    ),
    (
        "{channel}/{job_type}/scaling/start",
        "channels.{channel}.scaling.{job_type}.start",
        "From asking for a worker until it takes jobs",
    ),
    (
        "{channel}/{job_type}/scaling/rate_per_s",
        "channels.{channel}.scaling.{job_type}.rate_per_s",
        "Jobs that a worker does in a second, until it is measured",
    ),
    (
        "{channel}/{job_type}/scaling/concurrency",
        "channels.{channel}.scaling.{job_type}.concurrency",
        "Jobs that a worker has under way at once",
    ),
    (
        "{channel}/{job_type}/scaling/utilisation",
        "channels.{channel}.scaling.{job_type}.utilisation",
        "The share of its time that a worker is meant to be busy",
    ),
    (
        "{channel}/{job_type}/scaling/step_up",
        "channels.{channel}.scaling.{job_type}.step_up",
        "Most workers added at a time",
    ),
    (
        "{channel}/{job_type}/scaling/step_down",
        "channels.{channel}.scaling.{job_type}.step_down",
        "Most workers taken away at a time",
    ),
    (
        "{channel}/{job_type}/scaling/down_after",
        "channels.{channel}.scaling.{job_type}.down_after",
        "How long fewer workers must have been enough",
    ),
    (
        "{channel}/{job_type}/scaling/hysteresis",
        "channels.{channel}.scaling.{job_type}.hysteresis",
        "By which share more than what is needed is kept",
    ),
    (
        "{channel}/{job_type}/scaling/half_life",
        "channels.{channel}.scaling.{job_type}.half_life",
        "After this time a measured rate counts half",
    ),
];

/// All of a scheduler. Names in braces are those of the configuration.
#[must_use]
pub fn catalog() -> Catalog {
    let limits = [
        (
            "{channel}/dispatch_per_s",
            "channels.{channel}.limits.dispatch_per_s",
            "Most jobs dispatched a second",
        ),
        (
            "{channel}/reap_per_s",
            "channels.{channel}.limits.reap_per_s",
            "Most jobs reaped a second",
        ),
        (
            "{channel}/paced",
            "channels.{channel}.limits.paced",
            "Whether a slot goes out evenly over three quarters of its width",
        ),
        (
            "{channel}/max_open_notes",
            "channels.{channel}.limits.max_open_notes",
            "Chunks whose sending is not known to have ended; beyond them nothing is drained",
        ),
    ];
    let rules = [
        (
            "{channel}/{job_type}/interval",
            "channels.{channel}.job_types.{job_type}.interval",
            "Time between two polls; from each job's next poll on",
        ),
        (
            "{channel}/{job_type}/max_age",
            "channels.{channel}.job_types.{job_type}.max_age",
            "Longest time between two polls, whatever they are worth",
        ),
        (
            "{channel}/{job_type}/cushion",
            "channels.{channel}.job_types.{job_type}.cushion",
            "Calls of each limit to leave to others, or a share of it",
        ),
        (
            "{channel}/{job_type}/cost",
            "channels.{channel}.job_types.{job_type}.cost",
            "How much of a limit one call uses up",
        ),
        (
            "{channel}/{job_type}/max_strikes",
            "channels.{channel}.job_types.{job_type}.max_strikes",
            "Dead letters in a row before a job is quarantined",
        ),
        (
            "{channel}/{job_type}/adaptive/page",
            "channels.{channel}.job_types.{job_type}.adaptive.page",
            "Items that one poll can bring",
        ),
        (
            "{channel}/{job_type}/adaptive/loss",
            "channels.{channel}.job_types.{job_type}.adaptive.loss",
            "As how long a delay an item counts that is lost",
        ),
    ];
    let levels = [
        (
            "{channel}/{job_type}/{level}/interval",
            "channels.{channel}.job_types.{job_type}.levels.{level}.interval",
            "The level's time between two polls",
        ),
        (
            "{channel}/{job_type}/{level}/max_age",
            "channels.{channel}.job_types.{job_type}.levels.{level}.max_age",
            "The level's longest time between two polls",
        ),
        (
            "{channel}/{job_type}/{level}/weight",
            "channels.{channel}.job_types.{job_type}.levels.{level}.weight",
            "What the level's delay counts when calls are scarce",
        ),
        (
            "{channel}/{job_type}/{level}/cushion",
            "channels.{channel}.job_types.{job_type}.levels.{level}.cushion",
            "What the level leaves to others of each limit",
        ),
    ];
    let all = [&limits[..], &rules, &levels, &SCALING].concat();
    let settings = all.into_iter();
    let settings = settings.map(|(key, path, help)| Setting::new(key, path, help));
    Catalog::new(settings.collect()).leaving([ALERTS, WORKERS])
}

/// What `pollctl alerts` reads: no channel may be called so.
pub(crate) const ALERTS: &str = "alerts";

/// What the workers of a job type read.
const WORKERS: &str = "{channel}/{job_type}/worker";

/// What follows the job type in keys that are no level's, and whose they are: no level may be called so.
pub(crate) const NO_LEVELS: [(&str, &str); 3] = [
    ("worker", "its workers"),
    ("scaling", "scaling"),
    ("adaptive", "the adaptive policy"),
];
