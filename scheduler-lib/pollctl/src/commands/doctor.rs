//! `pollctl doctor`: everything that can be wrong between here and the scheduler's servers, and how to
//! mend it.

use std::time::UNIX_EPOCH;

use serde::Serialize;
use serde_json::Value;

use crate::{
    client::{Answer, Call},
    failure::Failure,
    session::Session,
    table::Colour,
    time::length,
};

/// A clock that NTP sets differs by less; the server's header tells whole seconds.
const DOUBTFUL_SKEW_MS: i64 = 5_000;

/// What was found.
#[derive(Debug, Serialize)]
struct Diagnosis {
    ok: bool,
    findings: Vec<Finding>,
    /// What the scheduler found at its servers, as `scheduler --check` tells it.
    check: Value,
}

/// One thing that is wrong, or hardly wanted.
#[derive(Debug, Serialize)]
struct Finding {
    severity: Severity,
    /// The channel; none if it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    what: String,
    mend: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Problem,
    Warning,
}

pub(crate) async fn run(mut session: Session<'_>) -> Result<(), Failure> {
    let mut findings = Vec::new();
    let ready = session.client.ask(&Call::get(["readyz"])).await;
    let ready = ready.map_err(no_scheduler)?;
    findings.extend(clocks(&ready, session.clock.now_ms()));
    findings.extend(readiness(&session.client.parse(&ready.text)?));
    let check = match session.client.json(&Call::get(["v1", "check"])).await {
        Ok(check) => check,
        Err(Failure::NotFound(what)) => {
            findings.push(Finding {
                severity: Severity::Warning,
                channel: None,
                what,
                mend: "give the configuration to the admin server that is embedded, or run `scheduler --check`"
                    .to_owned(),
            });
            Value::Null
        }
        Err(failure) => return Err(failure),
    };
    findings.extend(checked(&check));
    findings.sort_by_key(|finding| finding.severity);
    let problems = findings
        .iter()
        .filter(|one| one.severity == Severity::Problem);
    let problems = problems.count();
    let diagnosis = Diagnosis {
        ok: problems == 0,
        findings,
        check,
    };
    match session.output.json {
        true => session.output.document(&diagnosis)?,
        false => tell(&mut session, &diagnosis)?,
    }
    match problems {
        0 => Ok(()),
        1 => Err(Failure::Problem("1 problem".to_owned())),
        many => Err(Failure::Problem(format!("{many} problems"))),
    }
}

/// A scheduler that refuses to start tells nothing here.
fn no_scheduler(failure: Failure) -> Failure {
    match failure {
        Failure::NoAnswer(what) => Failure::NoAnswer(format!(
            "{what}; if it does not start, `scheduler --check` beside it tells what is wrong and how to mend it"
        )),
        failure => failure,
    }
}

/// Our clock beside the scheduler's.
fn clocks(ready: &Answer, now_ms: i64) -> Option<Finding> {
    let theirs = httpdate::parse_http_date(ready.date.as_deref()?).ok()?;
    let theirs_ms = theirs.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let skew_ms = now_ms.saturating_sub(i64::try_from(theirs_ms).ok()?);
    (skew_ms.saturating_abs() > DOUBTFUL_SKEW_MS).then(|| Finding {
        severity: Severity::Warning,
        channel: None,
        what: format!(
            "this machine's clock is {} {} the scheduler's",
            length(skew_ms.saturating_abs()),
            if skew_ms > 0 { "ahead of" } else { "behind" }
        ),
        mend: "let NTP set the clocks of both machines (chrony, systemd-timesyncd)".to_owned(),
    })
}

fn readiness(ready: &Value) -> Vec<Finding> {
    let channels = ready["channels"].as_object().into_iter().flatten();
    let waiting = channels.filter(|(_, channel)| channel["ready"] == false);
    waiting
        .map(|(name, channel)| Finding {
            severity: Severity::Problem,
            channel: Some(name.clone()),
            what: format!(
                "it is not ready: {}",
                channel["reason"].as_str().unwrap_or("it says not why")
            ),
            mend: "mend what is told of its store below; if nothing is, see the scheduler's log and restart it"
                .to_owned(),
        })
        .collect()
}

/// What the scheduler found at its servers.
fn checked(check: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    for channel in check["channels"].as_array().into_iter().flatten() {
        for (field, severity) in [
            ("problems", Severity::Problem),
            ("warnings", Severity::Warning),
        ] {
            for found in channel[field].as_array().into_iter().flatten() {
                let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
                findings.push(Finding {
                    severity,
                    channel: channel["channel"].as_str().map(str::to_owned),
                    what: text("what"),
                    mend: text("mend"),
                });
            }
        }
    }
    findings
}

fn tell(session: &mut Session<'_>, diagnosis: &Diagnosis) -> Result<(), Failure> {
    let output = &mut session.output;
    let good = output.paint(Colour::Good, "ok     ");
    output.line(&format!("{good}  {} answers", session.client.address()))?;
    for channel in diagnosis.check["channels"].as_array().into_iter().flatten() {
        let name = channel["channel"].as_str().unwrap_or_default();
        for part in channel["parts"].as_array().into_iter().flatten() {
            if part["ok"] == true {
                let text = |name: &str| part[name].as_str().unwrap_or_default();
                let (role, at, found) = (text("role"), text("name"), text("found"));
                output.line(&format!("{good}  {name}: {role} {at}: {found}"))?;
            }
        }
    }
    for finding in &diagnosis.findings {
        let mark = match finding.severity {
            Severity::Problem => output.paint(Colour::Bad, "PROBLEM"),
            Severity::Warning => output.paint(Colour::Doubtful, "warning"),
        };
        let channel = finding.channel.iter().map(|name| format!("{name}: "));
        let channel: String = channel.collect();
        output.line(&format!("{mark}  {channel}{}", finding.what))?;
        output.line(&format!("    mend:  {}", finding.mend))?;
    }
    Ok(())
}
