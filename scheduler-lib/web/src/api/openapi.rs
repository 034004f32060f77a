//! The API described for programs: an OpenAPI document, made of the router itself and of the types that handlers read and
//! answer with. So nothing can be routed and not told.

use std::sync::LazyLock;

use aide::{
    OperationInput, OperationOutput,
    axum::ApiRouter,
    generate::GenContext,
    openapi::{OpenApi, Operation, Response},
    operation::{ParamLocation, add_parameters, parameters_from_schema},
};
use axum::{
    Json,
    http::{HeaderValue, header},
    response::IntoResponse,
};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::{
    body::{Asked, At, Body, RawBody},
    error::{ApiError, Problem},
    routes,
};
use crate::access::Caller;

/// Made once: it is the same for every scheduler.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// What any call may be answered with, beside its own.
const ERRORS: [(&str, &str); 5] = [
    (
        "400",
        "Something in the request is wrong; `field` names it where it is known.",
    ),
    ("401", "Nobody is known by the credentials that were sent."),
    ("403", "Only operators change anything."),
    ("404", "There is no such channel, job, message or setting."),
    (
        "503",
        "A store, a queue or a source did not answer, or there is too much to do; it can be repeated after `Retry-After`.",
    ),
];

/// What the parts of paths are.
const PARTS: [(&str, &str); 7] = [
    ("channel", "The channel."),
    ("id", "The job. `/` is written `%2F`, and `%` is `%25`."),
    ("message", "The message."),
    ("key", "The setting. Each `/` is written `%2F`."),
    ("to", "The other channel."),
    ("from", "UTC milliseconds."),
    ("until", "UTC milliseconds."),
];

/// `GET /v1/openapi.json`
pub(super) async fn show() -> axum::response::Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], DOCUMENT.as_str()).into_response()
}

fn document() -> Value {
    let mut api = OpenApi::default();
    let router: ApiRouter<crate::Web> = ApiRouter::new().nest("/v1", routes());
    let _ = router.finish_api(&mut api);
    let mut document = serde_json::to_value(api).expect("a document is JSON");
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Polling scheduler",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "Jobs, queues, limits and settings of a scheduler of universal polling: what pollctl calls.",
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    document["security"] = json!([{ "token": [] }, { "basic": [] }]);
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer", "description": "The admin token, or the secret of a user." },
        "basic": { "type": "http", "scheme": "basic", "description": "A user's name and secret." },
    });
    document["components"]["responses"] = ERRORS.iter().map(error).collect();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        let parts: Vec<Value> = path.split('/').filter_map(part).collect();
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            complete(path, &parts, operation);
        }
    }
    document
}

/// A parameter of a path, if this part of it is one.
fn part(part: &str) -> Option<Value> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    let known = PARTS.iter().find(|(known, _)| *known == name);
    let kind = match name {
        "from" | "until" => json!({ "type": "integer", "format": "int64" }),
        _ => json!({ "type": "string" }),
    };
    let description = known.map_or("", |(_, words)| words);
    Some(
        json!({ "name": name, "in": "path", "required": true, "description": description, "schema": kind }),
    )
}

fn error((status, description): &(&str, &str)) -> (String, Value) {
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    let content = json!({ "application/json": { "schema": schema } });
    let response = json!({ "description": description, "content": content });
    ((*status).to_owned(), response)
}

/// Adds what types do not tell: the parts of its path, errors, and what it is about.
fn complete(path: &str, parts: &[Value], operation: &mut Value) {
    let parameters = operation["parameters"].take();
    let own = parameters.as_array().cloned().unwrap_or_default();
    operation["parameters"] = [parts, &own].concat().into();
    for (status, _) in ERRORS {
        operation["responses"][status] =
            json!({ "$ref": format!("#/components/responses/{status}") });
    }
    operation["tags"] = json!([about(path)]);
}

/// What a path is about: its last word that names a thing.
fn about(path: &str) -> &str {
    let names = [
        "jobs",
        "undecodable",
        "settings",
        "bursts",
        "queues",
        "scaling",
        "scopes",
        "slots",
    ];
    let found = names
        .into_iter()
        .find(|name| path.contains(&format!("/{name}")));
    found.unwrap_or(if path.contains("channel") {
        "channels"
    } else {
        "scheduler"
    })
}

impl<T> OperationInput for At<T> {}

impl OperationInput for RawBody {}

impl OperationInput for Caller {}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
    }
}

impl<T: JsonSchema> OperationInput for Asked<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let schema = ctx.schema.subschema_for::<T>();
        let parameters = parameters_from_schema(ctx, schema, ParamLocation::Query);
        add_parameters(ctx, operation, parameters);
    }
}

/// Every operation is completed with errors; here their body becomes known.
impl OperationOutput for ApiError {
    type Inner = Problem;

    fn inferred_responses(ctx: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Response)> {
        ctx.schema.subschema_for::<Problem>();
        Vec::new()
    }
}
