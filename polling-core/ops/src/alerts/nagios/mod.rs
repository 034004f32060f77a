//! Alerts as objects of Nagios, and what its check tells.

mod escape;
mod range;
mod verdict;

use std::collections::BTreeSet;

pub use self::{
    range::{Range, RangeError},
    verdict::{Silent, Verdict, verdict},
};
use super::{
    Alerts, HEADER,
    alert::Alert,
    kind::{Silence, When},
    prometheus::Severity,
    yaml::line,
};

/// Where Nagios has its values from, and how it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nagios {
    /// The program that checks: where `pollctl` is on the machine of Nagios.
    pub program: String,
    /// Who is asked.
    pub source: Source,
}

/// Who keeps the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Prometheus, at this address.
    Prometheus(String),
    /// Graphite, as its web application.
    Graphite {
        /// Its address.
        url: String,
        /// What stands before the names of metrics: `polling.*.*`.
        prefix: String,
    },
}

/// A contact that is told nothing, as another file of objects: Nagios starts with one at least.
pub const NOBODY: &str = "\
define command {
    command_name            polling-tell-nobody
    command_line            /bin/true
}

define contact {
    contact_name            polling-nobody
    contactgroups           polling
    host_notifications_enabled      0
    service_notifications_enabled   0
    host_notification_period        polling-always
    service_notification_period     polling-always
    host_notification_commands      polling-tell-nobody
    service_notification_commands   polling-tell-nobody
}
";

/// What Nagios takes of a check's arguments, bytes; it cuts off what is longer than 8 KiB.
const MAX_ARGUMENTS_LEN: usize = 8_000;

/// How old the last value of a gauge may be, seconds.
const GAUGES_REACH_S: u64 = 300;

const TEMPLATES: &str = "
define timeperiod {
    timeperiod_name         polling-always
    alias                   At all times
    monday                  00:00-24:00
    tuesday                 00:00-24:00
    wednesday               00:00-24:00
    thursday                00:00-24:00
    friday                  00:00-24:00
    saturday                00:00-24:00
    sunday                  00:00-24:00
}

# Contacts join it by their own `contactgroups polling`.
define contactgroup {
    contactgroup_name       polling
    alias                   Who is told of alerts
}

# It stands for a service or a channel, and is not checked itself.
define host {
    name                    polling-host
    address                 127.0.0.1
    active_checks_enabled   0
    passive_checks_enabled  0
    max_check_attempts      1
    check_period            polling-always
    notification_period     polling-always
    contact_groups          polling
    register                0
}

define service {
    name                    polling-service
    check_interval          1
    retry_interval          1
    check_period            polling-always
    notification_period     polling-always
    notification_interval   60
    contact_groups          polling
    register                0
}
";

impl Alerts {
    /// Objects of Nagios 4: a host for each service and each channel, a service for each alert. Contacts are left to the site.
    #[must_use]
    pub fn nagios(&self, nagios: &Nagios) -> String {
        let mut cfg = format!("{HEADER}{}{TEMPLATES}", nagios.command());
        let hosts: BTreeSet<_> = self
            .alerts
            .iter()
            .map(|alert| alert.subject.host())
            .collect();
        for host in hosts {
            let host = escape::name(&host);
            line!(cfg, "\ndefine host {{");
            line!(cfg, "    use                     polling-host");
            line!(cfg, "    host_name               {host}");
            line!(cfg, "}}");
        }
        for alert in &self.alerts {
            alert.nagios(&mut cfg, nagios);
        }
        cfg
    }
}

impl Nagios {
    fn command(&self) -> String {
        let (option, url) = match &self.source {
            Source::Prometheus(url) => ("--prometheus", url),
            Source::Graphite { url, .. } => ("--graphite", url),
        };
        let [program, url] = [&self.program, url].map(|text| escape::command(text));
        let mut cfg = String::new();
        line!(
            cfg,
            "\n# Its arguments: name, warning, critical, what silence means, how far back, query."
        );
        line!(cfg, "define command {{");
        line!(cfg, "    command_name            polling-check");
        line!(
            cfg,
            "    command_line            '{program}' alerts check-metric {option} '{url}' --name '$ARG1$' --warning '$ARG2$' --critical '$ARG3$' --silent '$ARG4$' --reach '$ARG5$' -- '$ARG6$'"
        );
        line!(cfg, "}}");
        cfg
    }

    fn query(&self, alert: &Alert) -> String {
        let expr = alert.value.expr(&alert.thresholds);
        match &self.source {
            Source::Prometheus(_) => expr.promql(),
            Source::Graphite { prefix, .. } => expr.graphite(prefix),
        }
    }
}

impl Alert {
    fn nagios(&self, cfg: &mut String, nagios: &Nagios) {
        let part = self.subject.part();
        let description = part.map_or_else(
            || self.kind.name.to_owned(),
            |part| format!("{part} {}", self.kind.name),
        );
        let silent = match self.kind.silence {
            Silence::Fine => Silent::Ok,
            Silence::Critical => Silent::Critical,
        };
        // Graphite renders from so long ago on; of gauges the last value of some minutes.
        let counts = self
            .kind
            .thresholds
            .iter()
            .any(|(name, _)| *name == "window");
        let reach_s = match counts {
            true => self.thresholds.window.as_secs(),
            false => GAUGES_REACH_S,
        };
        let reach = format!("{reach_s}s");
        let arguments = [
            self.kind.name,
            &self.range(Severity::Warning),
            &self.range(Severity::Critical),
            silent.as_str(),
            &reach,
            &nagios.query(self),
        ];
        let arguments = arguments.map(escape::argument).join("!");
        if arguments.len() > MAX_ARGUMENTS_LEN {
            line!(
                cfg,
                "\n# {description} of {} is left out: it asks for more than fits into a check; its methods are checked.",
                self.subject
            );
            return;
        }
        let notes = format!("{}. Thresholds: {}", self.tells("so many"), self.key());
        // The first check counts, and one follows each minute.
        let attempts = self.thresholds.hold.as_secs().div_ceil(60) + 1;
        line!(cfg, "\ndefine service {{");
        line!(cfg, "    use                     polling-service");
        line!(
            cfg,
            "    host_name               {}",
            escape::name(&self.subject.host())
        );
        line!(
            cfg,
            "    service_description     {}",
            escape::name(&description)
        );
        line!(cfg, "    max_check_attempts      {attempts}");
        line!(cfg, "    check_command           polling-check!{arguments}");
        line!(cfg, "    notes                   {}", escape::value(&notes));
        line!(cfg, "}}");
    }

    /// A severity that is off alerts of nothing.
    fn range(&self, severity: Severity) -> String {
        let range = match (self.level(severity), self.kind.when) {
            (None, _) => return "~:".to_owned(),
            (Some(level), When::Above) => Range::at_most(level),
            (Some(level), When::Below) => Range::at_least(level),
        };
        range.to_string()
    }
}
