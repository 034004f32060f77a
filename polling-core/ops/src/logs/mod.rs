//! Logs as lines of JSON: one object for each event, with the job that it is about.
//!
//! ```
//! use polling_ops::logs::Json;
//! use tracing_subscriber::{EnvFilter, fmt, prelude::*};
//!
//! let logs = fmt::layer().fmt_fields(Json).event_format(Json).with_filter(EnvFilter::new("info"));
//! let subscriber = tracing_subscriber::registry().with(logs);
//! # drop(subscriber);
//! ```
//!
//! ```json
//! {"timestamp":"2026-11-22T21:55:00.123456Z","level":"WARN","target":"polling_core::ack","message":"message not deleted",
//!  "job_id":"posts:42","job_type":"posts","generation":7,"trace_id":"3f26446124436a339cb21e0a48131e81","receives":1,
//!  "fields":{"queue":"polling-mastodon-posts"},"spans":[{"name":"worker","identity":"worker-5f3a"}]}
//! ```
//!
//! What a span of a cycle says, those with the target [`TARGET`], is told of the line itself; other spans are listed
//! with their fields, the outermost first. A field that is said twice within a cycle has the inner span's value.

mod text;

use std::fmt;

use polling_model::trace::TARGET;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use self::text::{Fields, Object};

/// For `fmt_fields` and `event_format` of `tracing_subscriber`'s `fmt` layer; it needs both.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

/// As `"name":value,` each.
impl<'writer> FormatFields<'writer> for Json {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut object = Object::default();
        fields.record(&mut Fields(&mut object));
        writer.write_str(&object.members())
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &tracing::span::Record<'_>,
    ) -> fmt::Result {
        let mut object = Object::of(&current.fields);
        fields.record(&mut Fields(&mut object));
        current.fields.clear();
        current.fields.push_str(&object.members());
        Ok(())
    }
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut line = Object::default();
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        line.add("timestamp", timestamp.as_str());
        line.add("level", metadata.level().as_str());
        line.add("target", metadata.target());
        let mut fields = Object::default();
        event.record(&mut Fields(&mut fields));
        if let Some(message) = fields.take("message") {
            line.add_json("message", message);
        }
        let mut spans = String::new();
        for span in context
            .event_scope()
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            let extensions = span.extensions();
            let said = extensions.get::<FormattedFields<N>>();
            let said = Object::of(said.map_or("", |said| said.fields.as_str()));
            if span.metadata().target() == TARGET {
                line.extend(said);
                continue;
            }
            let mut listed = Object::default();
            listed.add("name", span.name());
            listed.extend(said);
            if !spans.is_empty() {
                spans.push(',');
            }
            spans.push_str(&listed.to_json());
        }
        if !fields.is_empty() {
            line.add_json("fields", fields.to_json());
        }
        if !spans.is_empty() {
            line.add_json("spans", format!("[{spans}]"));
        }
        writeln!(writer, "{}", line.to_json())
    }
}
