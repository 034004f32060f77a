//! Where metrics are pushed to, and under which names.

use std::{collections::BTreeMap, time::Duration};

use super::lines::cleaned;

/// How metrics are pushed to Graphite.
#[derive(Debug, Clone)]
pub struct GraphiteConfig {
    /// `host:port` of carbon's plaintext listener.
    pub address: String,
    /// Before each name, with variables in braces: `polling.{host}.{service}`.
    pub prefix: String,
    /// The values of those variables; dots and all else that carbon cannot take become `_`.
    pub variables: BTreeMap<String, String>,
    /// Time between two pushes, 1 ms at least; carbon's finest retention, as a rule.
    pub every: Duration,
    /// Most bytes that wait while the server is away; some 10 minutes of a worker's metrics by default.
    pub max_buffer_size_bytes: usize,
}

/// A variable of the prefix that has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the prefix {prefix:?} names {{{variable}}}, which has no value: give it one, or close the brace"
)]
pub struct PrefixError {
    /// The prefix.
    pub prefix: String,
    /// The variable.
    pub variable: String,
}

impl GraphiteConfig {
    /// Every 10 s, with 4 MiB to wait in.
    #[must_use]
    pub fn new(address: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            prefix: prefix.into(),
            variables: BTreeMap::new(),
            every: Duration::from_secs(10),
            max_buffer_size_bytes: 4 * 1024 * 1024,
        }
    }

    /// Gives a variable of the prefix its value.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Another time between two pushes.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.max(Duration::from_millis(1));
        self
    }

    /// The prefix with its variables' values.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] when a variable has none.
    pub fn resolved_prefix(&self) -> Result<String, PrefixError> {
        let mut prefix = String::new();
        let mut rest = self.prefix.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (variable, after) = after.split_once('}').unwrap_or((after, ""));
            let Some(value) = self.variables.get(variable) else {
                return Err(PrefixError {
                    prefix: self.prefix.clone(),
                    variable: variable.to_owned(),
                });
            };
            prefix.push_str(before);
            prefix.push_str(&cleaned(value));
            rest = after;
        }
        prefix.push_str(rest);
        Ok(prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_takes_its_variables_values_without_further_dots() {
        let config = GraphiteConfig::new("localhost:2003", "polling.{host}.{service}.v1")
            .variable("host", "worker-7.internal")
            .variable("service", "posts");
        assert_eq!(
            config.resolved_prefix().unwrap(),
            "polling.worker-7_internal.posts.v1"
        );
    }

    #[test]
    fn a_variable_without_a_value_is_named() {
        for prefix in ["polling.{host}", "polling.{host"] {
            let error = GraphiteConfig::new("localhost:2003", prefix)
                .resolved_prefix()
                .unwrap_err();
            assert_eq!(error.variable, "host");
        }
    }
}
