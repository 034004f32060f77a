//! `pollctl doctor`: everything that can be wrong between here and the scheduler's servers, and how to
//! mend it.

use std::{path::PathBuf, time::UNIX_EPOCH};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::{
    client::{Answer, Call},
    failure::Failure,
    program::Program,
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
    /// Whether the scheduler does.
    answers: bool,
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

/// Where to look.
#[derive(Debug, Args)]
#[command(after_help = "\
The scheduler is asked what it finds at its servers. One that refuses to start can tell nothing: with
--config its program looks instead, beside the configuration, and what is wrong with that is told too.")]
pub(crate) struct Doctor {
    /// The scheduler's configuration; its program says what it finds at the servers named there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    scheduler: Program,
}

impl Doctor {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let mut findings = Vec::new();
        let asked = ask(&mut session, &mut findings).await;
        let answers = asked.is_ok();
        let check = match (self.config, asked) {
            (None, asked) => asked?,
            (Some(config), asked) => {
                findings.extend(asked.err().map(|failure| {
                    Finding {
                        severity: Severity::Problem,
                        channel: None,
                        what: failure.to_string(),
                        mend:
                            "mend what is told of its configuration and its servers, then start it"
                                .to_owned(),
                    }
                }));
                look(&self.scheduler, config, &mut findings).await?
            }
        };
        findings.extend(checked(&check));
        findings.sort_by_key(|finding| finding.severity);
        let problems = findings
            .iter()
            .filter(|one| one.severity == Severity::Problem);
        let problems = problems.count();
        let diagnosis = Diagnosis {
            ok: problems == 0,
            answers,
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
}

/// What the scheduler finds at its servers; null if it cannot look.
async fn ask(session: &mut Session<'_>, findings: &mut Vec<Finding>) -> Result<Value, Failure> {
    let ready = session.client.ask(&Call::get(["readyz"])).await;
    let ready = ready.map_err(no_scheduler)?;
    findings.extend(clocks(&ready, session.clock.now_ms()));
    findings.extend(readiness(&session.client.parse(&ready.text)?));
    match session.client.json(&Call::get(["v1", "check"])).await {
        Err(Failure::NotFound(what)) => {
            findings.push(Finding {
                severity: Severity::Warning,
                channel: None,
                what,
                mend: "give the configuration to the admin server that is embedded, or run `scheduler --check`"
                    .to_owned(),
            });
            Ok(Value::Null)
        }
        answered => answered,
    }
}

/// What the scheduler's program finds; null if it refuses the configuration.
async fn look(
    scheduler: &Program,
    config: PathBuf,
    findings: &mut Vec<Finding>,
) -> Result<Value, Failure> {
    let arguments = [
        "--config".into(),
        config.into(),
        "--check".into(),
        "--json".into(),
    ];
    let ended = scheduler.call(arguments).await?;
    let told: Value = serde_json::from_str(&ended.out).map_err(|_| {
        let code = ended
            .code
            .map_or_else(|| "none".to_owned(), |code| code.to_string());
        let said = ended.err.trim();
        Failure::Problem(format!(
            "the scheduler's program told nothing, exit code {code}: {said}"
        ))
    })?;
    let refused = told["problems"].as_array();
    findings.extend(refused.into_iter().flatten().map(|problem| Finding {
        severity: Severity::Problem,
        channel: None,
        what: problem.as_str().unwrap_or_default().to_owned(),
        mend: "correct that line, or the variable of the environment that it names".to_owned(),
    }));
    Ok(match refused {
        Some(_) => Value::Null,
        None => told,
    })
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
    if diagnosis.answers {
        output.line(&format!("{good}  {} answers", session.client.address()))?;
    }
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
