//! Routes of Alertmanager.

use super::{Alerts, HEADER, yaml::line};

/// The receivers that the routes name.
pub const RECEIVERS: [&str; 2] = ["polling-critical", "polling-warning"];

impl Alerts {
    /// A configuration of Alertmanager: alerts grouped by service and channel, warnings held back while the same alert is
    /// critical. `receivers` is a list of receivers (YAML), among which are [`RECEIVERS`]; without it these are there and tell nobody.
    #[must_use]
    pub fn alertmanager(&self, receivers: Option<&str>) -> String {
        let mut yaml = HEADER.to_owned();
        let [critical, warning] = RECEIVERS;
        line!(yaml, "route:");
        line!(yaml, "  receiver: {warning}");
        line!(yaml, "  group_by: [service, channel, severity]");
        line!(yaml, "  group_wait: 10s");
        line!(yaml, "  group_interval: 5m");
        line!(yaml, "  repeat_interval: 12h");
        line!(yaml, "  routes:");
        line!(yaml, "    - receiver: {critical}");
        line!(yaml, "      matchers: ['severity=~\"critical|page\"']");
        line!(yaml, "      repeat_interval: 1h");
        line!(yaml, "inhibit_rules:");
        inhibit(
            &mut yaml,
            ["severity=\"critical\"", "severity=\"warning\""],
            "alertname, service, method, channel, job_type",
        );
        for measure in ["Staleness", "Lateness"] {
            let burns = |speed| format!("alertname=\"Polling{measure}BudgetBurns{speed}\"");
            let [fast, slowly] = ["Fast", "Slowly"].map(burns);
            inhibit(&mut yaml, [&fast, &slowly], "channel, level");
        }
        line!(yaml, "receivers:");
        match receivers {
            Some(receivers) => {
                for receiver in receivers.lines() {
                    line!(yaml, "  {receiver}");
                }
            }
            None => {
                for name in RECEIVERS {
                    line!(yaml, "  - name: {name}");
                }
            }
        }
        yaml
    }
}

fn inhibit(yaml: &mut String, [source, target]: [&str; 2], equal: &str) {
    line!(yaml, "  - source_matchers: ['{source}']");
    line!(yaml, "    target_matchers: ['{target}']");
    line!(yaml, "    equal: [{equal}]");
}
