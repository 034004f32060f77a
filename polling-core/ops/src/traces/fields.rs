//! What a span or an event says, as OpenTelemetry has it.

use std::{fmt, str::FromStr};

use opentelemetry::{Key, KeyValue, StringValue, Value};
use polling_model::trace::{Ending, TraceId};
use tracing::field::{Field, Visit};

use super::{config::TracesConfig, sampler::Outcome};

/// What the spans of a cycle say for the layer.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) trace_id: Option<TraceId>,
    pub(super) sampled: Option<bool>,
    pub(super) start_ms: Option<i64>,
    pub(super) end_ms: Option<i64>,
    pub(super) outcome: Outcome,
    pub(super) error: Option<String>,
}

/// Gathers fields: those of our own spans by their meaning, with `polling.` before their names; all others as they are.
pub(super) struct Gather<'a> {
    pub(super) ours: bool,
    pub(super) config: &'a TracesConfig,
    pub(super) told: &'a mut Told,
    /// Of an event.
    pub(super) message: Option<String>,
    pub(super) attributes: &'a mut Vec<KeyValue>,
    pub(super) dropped: &'a mut u32,
}

impl Gather<'_> {
    fn add(&mut self, field: &Field, value: Value) {
        if self.attributes.len() >= self.config.max_attributes {
            *self.dropped += 1;
            return;
        }
        let key = match (self.ours, field.name()) {
            (true, "error") => Key::from_static_str("error.type"),
            (true, name) => Key::new(format!("polling.{name}")),
            (false, name) => Key::from_static_str(name),
        };
        self.attributes.push(KeyValue::new(key, value));
    }

    fn add_text(&mut self, field: &Field, mut text: String) {
        match (self.ours, field.name()) {
            (true, "trace_id") => {
                self.told.trace_id = TraceId::from_str(&text).ok();
                return;
            }
            (true, "outcome") => self.told.outcome.ending = Ending::from_name(&text),
            (true, "error") => self.told.error = Some(text.clone()),
            _ => {}
        }
        truncate(&mut text, self.config.max_text_size_bytes);
        if field.name() == "message" {
            self.message = Some(text);
            return;
        }
        self.add(field, Value::String(StringValue::from(text)));
    }
}

impl Visit for Gather<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        match (self.ours, field.name()) {
            (true, "start_ms") => self.told.start_ms = Some(value),
            (true, "end_ms") => self.told.end_ms = Some(value),
            (true, "latency_ms") => {
                self.told.outcome.latency_ms = Some(value);
                self.add(field, Value::I64(value));
            }
            _ => self.add(field, Value::I64(value)),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let value = i64::try_from(value)
            .map_or_else(|_| Value::String(value.to_string().into()), Value::I64);
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Value::F64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if self.ours && field.name() == "sampled" {
            self.told.sampled = Some(value);
        } else {
            self.add(field, Value::Bool(value));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add_text(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add_text(field, format!("{value:?}"));
    }
}

fn truncate(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
    }
}
