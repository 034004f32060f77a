//! Calls of servers and clients over HTTP and gRPC, by OpenTelemetry's conventions for them.

use polling_model::Observation;
use prometheus_client::metrics::histogram::Histogram;

use super::{register::Register, series::Series};

/// Upper bounds as the conventions have them, seconds.
pub(crate) const CALLS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

#[derive(Debug)]
pub(super) struct Web {
    http_server: Series<3, 1, Histogram>,
    http_client: Series<3, 1, Histogram>,
    rpc_server: Series<3, 1, Histogram>,
    rpc_client: Series<3, 1, Histogram>,
}

impl Web {
    pub(super) fn new(register: &mut Register<'_>) -> Self {
        let mut http = |name, help| {
            let names = ["http_route", "http_response_status_code", "error_type"];
            let kinds = ["http_request_method"];
            register.seconds(name, help, names, kinds, || Histogram::new(CALLS))
        };
        let http_server = http(
            "http_server_request_duration",
            "How long a server took to answer calls over HTTP",
        );
        let http_client = http(
            "http_client_request_duration",
            "How long a client waited for answers over HTTP",
        );
        let mut rpc = |name, help| {
            let names = ["rpc_method", "rpc_response_status_code", "error_type"];
            let kinds = ["rpc_system_name"];
            register.seconds(name, help, names, kinds, || Histogram::new(CALLS))
        };
        Self {
            http_server,
            http_client,
            rpc_server: rpc(
                "rpc_server_call_duration",
                "How long calls over gRPC took a server, to their status",
            ),
            rpc_client: rpc(
                "rpc_client_call_duration",
                "How long calls over gRPC took a client, to their status",
            ),
        }
    }

    pub(super) fn observe(&self, observation: Observation<'_>) {
        let Observation::Answered {
            side,
            system,
            method,
            route,
            status,
            error,
            elapsed,
        } = observation
        else {
            return;
        };
        let (series, kind) = match (system, side) {
            ("http", "server") => (&self.http_server, method),
            ("http", _) => (&self.http_client, method),
            (_, "server") => (&self.rpc_server, system),
            _ => (&self.rpc_client, system),
        };
        let names = [route, status, error.unwrap_or("")];
        series.record(names, [kind], elapsed.as_secs_f64());
    }
}
