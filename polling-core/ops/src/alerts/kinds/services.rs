//! Of services: whether calls fail, are slow, or are missing.

use super::Draft;
use crate::{
    alerts::{
        Service,
        kind::{Kind, Unit},
        series::{Metric, Part, Series},
        subject::Subject,
        value::Value,
    },
    metrics::WEB_BOUNDS,
};

static CALLS: Metric = Metric::new(
    "rpc_server_call_duration_seconds",
    &[
        "rpc_method",
        "rpc_response_status_code",
        "error_type",
        "rpc_system_name",
    ],
);

#[cfg(test)]
pub(super) const METRICS: &[&Metric] = &[&CALLS];

#[rustfmt::skip]
static ERROR_RATE: Kind = Kind::above("error-rate", "RpcCallsFail", Unit::Share,
    &[("warning", "1%"), ("critical", "5%"), ("for", "2m"), ("window", "5m"), ("least", "20")],
    "{} of the calls failed within {window}");

#[rustfmt::skip]
static LATENCY: Kind = Kind::above("latency", "RpcCallsAreSlow", Unit::Share,
    &[("warning", "1%"), ("critical", "5%"), ("for", "2m"), ("window", "5m"), ("least", "20"), ("within", "1s")],
    "{} of the calls took longer than {within}, within {window}").within(&WEB_BOUNDS);

#[rustfmt::skip]
static ABSENCE: Kind = Kind::above("absence", "RpcCallsAreMissing", Unit::Share,
    &[("warning", "20%"), ("critical", "1%"), ("for", "5m"), ("window", "15m"), ("before", "1d"), ("least", "100")],
    "there are {} of the calls that there were {before} before").below();

/// Of the service as a whole, then of each method. A stream's length is up to who opened it, and it is told once it has ended: of
/// methods with streams only failures are watched.
pub(super) fn drafts(service: &Service) -> Vec<Draft> {
    let whole = Subject::Service(service.name.clone());
    let names = |with_streams: bool| -> Vec<String> {
        let methods = service.methods.iter();
        let wanted = methods.filter(|(_, method)| with_streams || !method.streams);
        wanted
            .map(|(name, _)| format!("{}/{name}", service.name))
            .collect()
    };
    let mut drafts = Vec::new();
    let (all, unary) = (names(true), names(false));
    if !all.is_empty() {
        drafts.push(errors(&whole, &calls(all)));
    }
    if !unary.is_empty() {
        drafts.push(absence(&whole, &calls(unary)));
    }
    for (name, method) in &service.methods {
        let subject = Subject::Method(service.name.clone(), name.clone());
        let calls = Series::of(&CALLS).with("rpc_method", format!("{}/{name}", service.name));
        drafts.push(errors(&subject, &calls));
        if !method.streams {
            let latency = Value::Beyond(calls.clone());
            drafts.push(Draft::new(&subject, &LATENCY, latency));
            drafts.push(absence(&subject, &calls));
        }
    }
    drafts
}

fn calls(methods: Vec<String>) -> Series {
    Series::of(&CALLS).with_any("rpc_method", methods)
}

fn errors(subject: &Subject, calls: &Series) -> Draft {
    let whole = calls.part(Part::Count);
    let part = whole.clone().without("error_type", "");
    Draft::new(subject, &ERROR_RATE, Value::Share { part, whole })
}

fn absence(subject: &Subject, calls: &Series) -> Draft {
    let calls = calls.part(Part::Count);
    Draft::new(subject, &ABSENCE, Value::Activity(calls))
}
