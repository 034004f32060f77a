//! A span under way.

use std::{sync::Arc, time::SystemTime};

use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{Event, SpanKind, Status},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use polling_model::{
    ErrorClass,
    trace::{SpanId, names},
};
use tracing::{Metadata, span::Record};

use super::{
    config::TracesConfig,
    fields::{Gather, Told},
    open::{Open, context_of, kind_of, time_of},
};

/// A span under way, as an extension of the registry's.
pub(super) struct Recording {
    pub(super) open: Arc<Open>,
    pub(super) ours: bool,
    pub(super) span_id: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) begin: SystemTime,
    pub(super) told: Told,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) dropped: u32,
    pub(super) events: SpanEvents,
    /// Of a local root only: whether the whole is kept, if that is known already.
    pub(super) root: Option<Option<bool>>,
}

impl Recording {
    pub(super) fn record(&mut self, config: &TracesConfig, values: &Record<'_>) {
        values.record(&mut Gather {
            ours: self.ours,
            config,
            told: &mut self.told,
            message: None,
            attributes: &mut self.attributes,
            dropped: &mut self.dropped,
        });
    }

    /// A line of the log within it becomes an event of it.
    pub(super) fn add_event(&mut self, config: &TracesConfig, event: &tracing::Event<'_>) {
        if self.events.events.len() >= config.max_attributes {
            self.events.dropped_count += 1;
            return;
        }
        let (mut attributes, mut dropped) = (Vec::new(), 0);
        let mut gather = Gather {
            ours: false,
            config,
            told: &mut Told::default(),
            message: None,
            attributes: &mut attributes,
            dropped: &mut dropped,
        };
        event.record(&mut gather);
        let name = gather.message.take().unwrap_or_default();
        attributes.push(KeyValue::new("level", event.metadata().level().as_str()));
        let event = Event::new(name, self.open.now(), attributes, dropped);
        self.events.events.push(event);
    }

    pub(super) fn into_span(
        self,
        metadata: &'static Metadata<'static>,
        scope: &InstrumentationScope,
    ) -> SpanData {
        let end = self.told.end_ms.map_or_else(|| self.open.now(), time_of);
        let failed = |error: &String| {
            let mut classes = ErrorClass::ALL.into_iter();
            let class = classes.find(|class| class.as_str() == error);
            // Anything else is a bug.
            class.is_none_or(ErrorClass::is_failure)
        };
        let status = match self.told.error.filter(failed) {
            Some(error) => Status::error(error),
            None => Status::Unset,
        };
        SpanData {
            span_context: context_of(self.open.trace_id, self.span_id),
            parent_span_id: self
                .parent
                .map_or(opentelemetry::SpanId::INVALID, |parent| {
                    opentelemetry::SpanId::from_bytes(parent.to_bytes())
                }),
            parent_span_is_remote: self.ours && metadata.name() == names::JOB,
            span_kind: if self.ours {
                kind_of(metadata.name())
            } else {
                SpanKind::Internal
            },
            name: metadata.name().into(),
            start_time: self.begin,
            // Two clocks may have told them.
            end_time: end.max(self.begin),
            attributes: self.attributes,
            dropped_attributes_count: self.dropped,
            events: self.events,
            links: SpanLinks::default(),
            status,
            instrumentation_scope: scope.clone(),
        }
    }
}
