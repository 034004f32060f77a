//! What the API says of itself, and whether it is so.

use std::{collections::BTreeSet, fs, path::Path};

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::support::{JOBS, Server};

async fn document() -> Value {
    let answer = Server::start().get("/v1/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

/// Method, path and what is said of it.
fn operations(document: &Value) -> Vec<(Method, &str, &Value)> {
    let mut found = Vec::new();
    for (path, item) in object(&document["paths"]) {
        for (method, operation) in object(item) {
            let method = method.to_uppercase().parse().expect("a method");
            found.push((method, path.as_str(), operation));
        }
    }
    found
}

/// Every `$ref` within a value.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_whole() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
    for scheme in document["security"].as_array().unwrap() {
        for name in object(scheme).keys() {
            assert!(document["components"]["securitySchemes"][name].is_object());
        }
    }
}

#[tokio::test]
async fn every_operation_says_what_it_takes_and_what_it_answers() {
    let document = document().await;
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(!id.is_empty() && ids.insert(id), "{method} {path}: {id:?}");
        assert!(operation["summary"].is_string(), "{id}");
        let named = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters = operation["parameters"].as_array().unwrap();
        let of_path = parameters.iter().filter(|one| one["in"] == "path");
        let of_path: Vec<_> = of_path.map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(of_path, named.collect::<Vec<_>>(), "{id}");
        for parameter in parameters {
            assert!(
                parameter["schema"].is_object() || parameter["schema"].is_boolean(),
                "{id}: {parameter}"
            );
        }
        let answers = object(&operation["responses"]);
        let well = answers.keys().filter(|status| status.starts_with('2'));
        assert!(well.count() > 0, "{id} tells no answer");
        let takes = [Method::POST, Method::PUT, Method::PATCH].contains(&method);
        assert!(takes || operation["requestBody"].is_null(), "{id}");
    }
    let body = |id: &str| {
        let all = operations(&document);
        let (.., operation) = all
            .into_iter()
            .find(|(.., one)| one["operationId"] == id)
            .unwrap();
        operation["requestBody"]["content"]["application/json"]["schema"].clone()
    };
    for id in ["registerJob", "registerJobs", "updateJob", "replaceContext"] {
        assert!(body(id).is_object(), "{id}");
    }
}

#[tokio::test]
async fn everything_described_is_served() {
    let server = Server::start();
    let document = document().await;
    for (method, path, operation) in operations(&document) {
        let path = path
            .replace("{channel}", "mastodon")
            .replace("{from}", "1")
            .replace("{until}", "2")
            .replace(['{', '}'], "");
        let answer = server.call(method.clone(), &path, "").await;
        let error = answer.body["error"].as_str().unwrap_or_default();
        assert_ne!(
            answer.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{method} {path}"
        );
        assert!(!error.starts_with("no such path"), "{method} {path}");
        let status = answer.status.as_u16().to_string();
        assert!(
            operation["responses"][&status].is_object(),
            "{method} {path}: {status}"
        );
    }
}

/// A route that is added with `api_route` is described by its handler's types; no other way is used.
#[test]
fn everything_served_is_described() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(".route("), "{}", path.display());
        assert!(!text.contains("route_service("), "{}", path.display());
    }
}

/// The parts of each path in a source file that begins with `v1`; `None` for what is no literal.
fn calls_in(source: &str) -> Vec<Vec<Option<String>>> {
    let begins = source.match_indices("[\"v1\"");
    let texts = begins.map(|(at, _)| &source[at + 1..at + source[at..].find(']').unwrap()]);
    let part = |part: &str| {
        let literal = part
            .trim()
            .strip_prefix('"')
            .and_then(|part| part.strip_suffix('"'));
        literal.map(str::to_owned)
    };
    texts
        .map(|text| {
            text.trim()
                .trim_end_matches(',')
                .split(',')
                .map(part)
                .collect()
        })
        .collect()
}

#[tokio::test]
async fn everything_that_pollctl_calls_is_described() {
    let document = document().await;
    let paths: Vec<Vec<&str>> = object(&document["paths"])
        .keys()
        .map(|path| {
            path.split('/')
                .skip(1)
                .filter(|part| !part.is_empty())
                .collect()
        })
        .collect();
    let mut called = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../pollctl/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => called.extend(calls_in(&fs::read_to_string(path).unwrap())),
            }
        }
    }
    assert!(called.len() > 20, "{}", called.len());
    let fits = |(wanted, found): (&Option<String>, &&str)| {
        wanted.as_deref().is_none_or(|wanted| wanted == *found)
    };
    for call in called {
        let known = paths
            .iter()
            .any(|path| path.len() == call.len() && call.iter().zip(path).all(fits));
        assert!(known, "{call:?} is not described");
    }
}

/// What an operation is said to answer with 200.
fn check(document: &Value, id: &str, answer: &Value) {
    let all = operations(document);
    let (.., operation) = all
        .into_iter()
        .find(|(.., one)| one["operationId"] == id)
        .unwrap();
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{id}");
    let whole = json!({ "allOf": [schema], "components": document["components"] });
    let validator = jsonschema::validator_for(&whole).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(answer)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0], "{id}: {answer}");
}

#[tokio::test]
async fn answers_are_as_they_are_described() {
    let server = Server::start();
    let document = document().await;
    server.register("42").await;
    server.register("43").await;
    let likes =
        json!({"job_type": "likes", "account": "42", "cushion": "10%", "context": {"since": 7}});
    server.post(JOBS, likes.to_string()).await;
    let pinned = json!({"pace": {"pin": {"interval": "5m"}}}).to_string();
    server
        .call(Method::PATCH, &format!("{JOBS}/posts:43"), pinned)
        .await;
    let channel = "/v1/channels/mastodon";
    for (id, path) in [
        ("listChannels", "/v1/channels".to_owned()),
        ("listSettings", "/v1/settings".to_owned()),
        ("showChannel", channel.to_owned()),
        ("listJobs", format!("{JOBS}?contexts=true")),
        ("showJob", format!("{JOBS}/likes:42")),
        ("showJob", format!("{JOBS}/posts:43")),
        ("explainJob", format!("{JOBS}/likes:42/explain")),
        ("listScopes", format!("{channel}/scopes")),
        ("listQueues", format!("{channel}/queues")),
        ("lookAhead", format!("{channel}/slots")),
        ("listBursts", format!("{channel}/bursts")),
        ("listScaling", format!("{channel}/scaling")),
        ("listMessages", format!("{channel}/undecodable")),
    ] {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        check(&document, id, &answer.body);
    }
    let paused = server.post(&format!("{JOBS}:pause?all=true"), "").await;
    check(&document, "pauseJobs", &paused.body);
    let batch = json!([{"job_type": "posts", "account": "44"}, {"account": "45"}]).to_string();
    let batch = server.post(&format!("{JOBS}:batch"), batch).await;
    check(&document, "registerJobs", &batch.body);
}
