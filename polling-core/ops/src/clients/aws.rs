//! An interceptor for clients of the AWS SDK that tells each call.
//!
//! ```no_run
//! use polling_ops::{clients::aws::Monitor, metrics::Metrics};
//!
//! # fn run(settings: aws_sdk_sqs::config::Builder, metrics: Metrics) {
//! let config = settings.interceptor(Monitor::new("orders", metrics.observer())).build();
//! let client = aws_sdk_sqs::Client::from_conf(config); // each call of it is counted and timed
//! # }
//! ```
//!
//! A call is told with all its attempts, by the name that the service gives it, such as `SendMessage`; its attempts are
//! counted beside. One that is given up is told as `cancelled`.

use std::{fmt, sync::Arc};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                BeforeSerializationInterceptorContextRef, Error, FinalizerInterceptorContextRef,
            },
        },
        orchestrator::{Metadata, OrchestratorError},
        retries::RequestAttempts,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use polling_model::{Observation, SharedObserver};
use polling_transport::Call;

const PORT: &str = "aws";

/// Tells each call of a client as [`Observation::Called`], and its attempts as [`Observation::Sent`].
pub struct Monitor {
    name: Arc<str>,
    observer: SharedObserver,
}

impl Monitor {
    /// Tells calls as those of `name`; to `observer`, which must be fast.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, observer: SharedObserver) -> Self {
        Self {
            name: name.into(),
            observer,
        }
    }
}

/// A call under way: it lies in the call's own settings, and is dropped with them when the call is given up.
struct Execution(Option<Call<SharedObserver, Arc<str>, String>>);

impl Storable for Execution {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Monitor {
    fn name(&self) -> &'static str {
        "PollingMonitor"
    }

    /// The first moment at which the operation's name is known; nothing is sent before it.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = operation(config);
        let (observer, name) = (Arc::clone(&self.observer), Arc::clone(&self.name));
        let call = Call::start(observer, PORT, name, operation);
        config.interceptor_state().store_put(Execution(Some(call)));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let failed = context.output_or_error().and_then(Result::err);
        let status = context
            .response()
            .map(|response| response.status().as_u16());
        let execution = config.get_mut_from_interceptor_state::<Execution>();
        if let Some(call) = execution.and_then(|execution| execution.0.take()) {
            call.end(failed.map(|error| word(error, status)));
        }
        let attempts = config.load::<RequestAttempts>();
        self.observer.observe(Observation::Sent {
            port: PORT,
            name: &self.name,
            operation: &operation(config),
            error: None,
            requests: attempts.map_or(0, |attempts| attempts.attempts() as usize),
        });
        Ok(())
    }
}

fn operation(config: &ConfigBag) -> String {
    let metadata = config.load::<Metadata>();
    metadata.map_or_else(|| "other".to_owned(), |metadata| metadata.name().to_owned())
}

/// Who failed, and how: services have hundreds of codes.
fn word(error: &OrchestratorError<Error>, status: Option<u16>) -> &'static str {
    match status {
        _ if error.is_timeout_error() => "timeout",
        _ if error.is_connector_error() => "connection",
        _ if error.is_interceptor_error() => "client",
        Some(401 | 403) => "denied",
        Some(404) => "not_found",
        Some(429) => "throttled",
        Some(400..=499) => "refused",
        Some(500..=599) => "server",
        Some(_) => "response",
        None => "client",
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Execution").finish_non_exhaustive()
    }
}
