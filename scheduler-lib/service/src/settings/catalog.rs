//! Which settings may change, and where each stands.

use polling_ops::config::{Catalog, Setting};

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
    let all = [&limits[..], &rules, &levels].concat();
    Catalog::new(
        all.into_iter()
            .map(|(key, path, help)| Setting::new(key, path, help))
            .collect(),
    )
}
