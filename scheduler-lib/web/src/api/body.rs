//! Reading requests: bodies, paths and queries, with errors that name the field.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use super::error::ApiError;
use crate::{
    Web,
    suggest::{self, UnknownName},
};

/// A body of JSON, whatever content type it claims.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Web> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, ApiError> {
        let RawBody(bytes) = RawBody::from_request(request, web).await?;
        parse(&bytes).map(Self)
    }
}

/// A body of bounded size.
pub(super) struct RawBody(pub(super) Bytes);

impl FromRequest<Web> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, ApiError> {
        let read = Bytes::from_request(request, web).await;
        read.map(Self).map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(format!(
                "the body is larger than {} bytes, the most allowed",
                web.0.options.max_body_size_bytes
            )),
            _ => ApiError::bad_request(format!("the body cannot be read: {}", error.body_text())),
        })
    }
}

/// Reads JSON.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let mut field = error.path().to_string();
        let said = error.into_inner().to_string();
        match UnknownName::read(&said) {
            Some(unknown) if unknown.what == "key" => field = unknown.name.to_owned(),
            _ if field.is_empty() || field == "." || field == "?" => {
                field = missing_field(&said).unwrap_or_default().to_owned();
            }
            _ => {}
        }
        ApiError::bad_request(suggest::explain(&said)).field(field)
    })?;
    let ended = deserializer.end();
    ended.map_err(|error| ApiError::bad_request(error.to_string()))?;
    Ok(parsed)
}

fn missing_field(said: &str) -> Option<&str> {
    said.strip_prefix("missing field `")?.split('`').next()
}

/// The parts of a path, decoded.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Web> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        let read = Path::from_request_parts(parts, web).await;
        read.map(|Path(found)| Self(found))
            .map_err(|error| ApiError::bad_request(error.body_text()))
    }
}

/// The query's parameters.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Web> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiError> {
        let read = Query::from_request_parts(parts, web).await;
        read.map(|Query(found)| Self(found))
            .map_err(|error| bad_query(&error.body_text()))
    }
}

/// The extractor says `…: limit: what is wrong`.
pub(super) fn bad_query(said: &str) -> ApiError {
    let said = said
        .strip_prefix("Failed to deserialize query string: ")
        .unwrap_or(said);
    let (field, what) = said.split_once(": ").unwrap_or(("", said));
    ApiError::bad_request(suggest::explain(what)).field(field.to_owned())
}
