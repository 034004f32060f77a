//! `pollctl alerts check-metric`: one number of Prometheus or Graphite, as a check of Nagios.

use std::time::Duration;

use clap::Args;
use polling_model::chain;
use polling_ops::alerts::nagios::{Range, Silent, Verdict, verdict};
use reqwest::{Url, header::CONTENT_TYPE, redirect::Policy};
use serde_json::Value;

use crate::{failure::Failure, session::Session};

/// Longest time for a check; that of Nagios is 60 s.
const DEADLINE: Duration = Duration::from_secs(10);

/// Largest answer, bytes: a day of one series at a second's distance.
const MAX_ANSWER_SIZE_BYTES: usize = 4 * 1024 * 1024;

/// What is asked, and what it may be.
#[derive(Debug, Args)]
#[command(after_help = "\
  pollctl alerts check-metric --prometheus http://127.0.0.1:9090 --name up --critical 1: 'min(up)'

Ranges are those of Nagios's plugins: 10 is 0 to 10, 10: is 10 and more, ~:10 is 10 and less, @5:10 all but these.
The exit code is 0 for ok, 1 for a warning, 2 for critical, 3 where nothing can be told.")]
pub(crate) struct CheckMetric {
    /// Prometheus, which is asked in PromQL.
    #[arg(
        long,
        value_name = "URL",
        required_unless_present = "graphite",
        conflicts_with = "graphite"
    )]
    prometheus: Option<String>,

    /// Graphite's web application, which is asked for a target: its last point counts.
    #[arg(long, value_name = "URL")]
    graphite: Option<String>,

    /// What the value is called.
    #[arg(long, value_name = "NAME", default_value = "value")]
    name: String,

    /// Outside of this range is a warning.
    #[arg(long, value_name = "RANGE", default_value = "~:")]
    warning: Range,

    /// Outside of this range is critical.
    #[arg(long, value_name = "RANGE", default_value = "~:")]
    critical: Range,

    /// What it means that there is no value: ok, critical, unknown.
    #[arg(long, value_name = "STATE", default_value = "unknown")]
    silent: Silent,

    /// How far back Graphite is asked.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    reach: Duration,

    /// The question: one number is the answer, or none.
    #[arg(value_name = "QUERY")]
    query: String,
}

impl CheckMetric {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let (verdict, line) = match self.ask().await {
            Ok(value) => verdict(&self.name, value, self.warning, self.critical, self.silent),
            Err(what) => {
                // Nagios takes the first line, and a bar for the begin of figures.
                let what = what.replace(['\n', '|'], " ");
                (
                    Verdict::Unknown,
                    format!("UNKNOWN: {} cannot be told: {what}", self.name),
                )
            }
        };
        session.output.line(&line)?;
        match verdict.exit_code() {
            0 => Ok(()),
            code => Err(Failure::Told(code)),
        }
    }

    async fn ask(&self) -> Result<Option<f64>, String> {
        match (&self.prometheus, &self.graphite) {
            (Some(url), _) => {
                let answer = call(url, "api/v1/query", &[("query", &self.query)]).await?;
                of_prometheus(&answer)
            }
            (None, Some(url)) => {
                let from = format!("-{}s", self.reach.as_secs());
                let fields = [
                    ("target", &*self.query),
                    ("from", &from),
                    ("format", "json"),
                ];
                of_graphite(&call(url, "render", &fields).await?)
            }
            (None, None) => Err("neither Prometheus nor Graphite is named".to_owned()),
        }
    }
}

/// As a form, since a question may be longer than an address may be.
async fn call(url: &str, path: &str, fields: &[(&str, &str)]) -> Result<Value, String> {
    let address = format!("{}/{path}", url.trim_end_matches('/'));
    let mut address = Url::parse(&address).map_err(|error| format!("{url}: {error}"))?;
    let form = address.query_pairs_mut().extend_pairs(fields).finish();
    let form = form.query().unwrap_or_default().to_owned();
    address.set_query(None);
    #[cfg(feature = "tls")]
    crate::client::choose_cryptography();
    let failed = |error: reqwest::Error| chain(&error.without_url());
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(DEADLINE)
        .build()
        .map_err(failed)?;
    let request = http
        .post(address)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form);
    let mut answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_SIZE_BYTES {
            return Err(format!(
                "the answer has more than {MAX_ANSWER_SIZE_BYTES} bytes"
            ));
        }
    }
    if !status.is_success() {
        let said: String = String::from_utf8_lossy(&body).chars().take(200).collect();
        return Err(format!("{url} answers {status}: {said}"));
    }
    serde_json::from_slice(&body).map_err(|error| format!("{url} does not answer JSON: {error}"))
}

/// The only series of a vector, or a scalar.
fn of_prometheus(answer: &Value) -> Result<Option<f64>, String> {
    let data = &answer["data"];
    let value = match (data["resultType"].as_str(), data["result"].as_array()) {
        (Some("scalar"), Some(_)) => &data["result"][1],
        (Some("vector"), Some(series)) => match series.as_slice() {
            [] => return Ok(None),
            [only] => &only["value"][1],
            many => return Err(format!("the answer has {} series", many.len())),
        },
        _ => return Err("the answer is neither a vector nor a scalar".to_owned()),
    };
    let number = value.as_str().and_then(|text| text.parse().ok());
    number
        .map(Some)
        .ok_or_else(|| "the answer has no number".to_owned())
}

/// The last point of the only series that there is.
fn of_graphite(answer: &Value) -> Result<Option<f64>, String> {
    let series = answer.as_array().ok_or("the answer is no list of series")?;
    match series.as_slice() {
        [] => Ok(None),
        [only] => {
            let points = only["datapoints"]
                .as_array()
                .ok_or("the answer has no points")?;
            Ok(points.iter().rev().find_map(|point| point[0].as_f64()))
        }
        many => Err(format!("the answer has {} series", many.len())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prometheus_answers_a_number_or_nothing() {
        let vector = |result| json!({"data": {"resultType": "vector", "result": result}});
        let one = vector(json!([{"metric": {}, "value": [1, "+Inf"]}]));
        assert_eq!(of_prometheus(&one), Ok(Some(f64::INFINITY)));
        assert_eq!(of_prometheus(&vector(json!([]))), Ok(None));
        let scalar = json!({"data": {"resultType": "scalar", "result": [1, "2.5"]}});
        assert_eq!(of_prometheus(&scalar), Ok(Some(2.5)));
        let two = vector(json!([{"value": [1, "1"]}, {"value": [1, "2"]}]));
        assert!(of_prometheus(&two).is_err());
        assert!(of_prometheus(&json!({"status": "error"})).is_err());
    }

    #[test]
    fn graphite_answers_its_last_point() {
        let points = json!([{"datapoints": [[1.0, 1], [2.5, 2], [null, 3]]}]);
        assert_eq!(of_graphite(&points), Ok(Some(2.5)));
        assert_eq!(of_graphite(&json!([])), Ok(None));
        assert_eq!(of_graphite(&json!([{"datapoints": [[null, 1]]}])), Ok(None));
        assert!(of_graphite(&json!({})).is_err());
    }
}
