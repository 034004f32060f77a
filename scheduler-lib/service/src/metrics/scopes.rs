//! How rate limits stand that all accounts share.

use polling_ops::metrics::{Gauge, Reading};
use scheduler_lib::Registry;

/// The whole of a window.
pub static SCOPE_LIMIT: Gauge = Gauge {
    name: "polling_scope_limit_calls",
    help: "Calls of a rate limit's window, where all accounts share it; windows are counted from the shortest",
    labels: &["channel", "scope", "window"],
};

/// The rest of it.
pub static SCOPE_REMAINING: Gauge = Gauge {
    name: "polling_scope_remaining_calls",
    help: "Calls left of it, without those that were granted and not heard of yet",
    labels: &["channel", "scope", "window"],
};

/// Nothing is told of scopes of which nothing was heard.
pub(super) async fn ask(registry: &Registry) -> Option<Vec<Reading>> {
    let mut readings = Vec::new();
    for scope in registry.shared_scopes().await.ok()? {
        for (at, window) in (1..).zip(&scope.standing.windows) {
            let at = u32::to_string(&at);
            let labels = [registry.channel().as_str(), scope.scope.as_str(), &at];
            readings.push(SCOPE_LIMIT.reading(&labels, window.limit as f64));
            readings.push(SCOPE_REMAINING.reading(&labels, window.free as f64));
        }
    }
    Some(readings)
}
