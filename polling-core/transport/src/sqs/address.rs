//! Where a call went, so that its error can say so.

use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_sqs::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, http::HttpResponse,
        interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::{BoxError, ProvideErrorMetadata, SdkError},
};

use crate::fault::Fault;

/// Notes the address of the requests it sees.
#[derive(Debug, Clone, Default)]
pub(super) struct Address(Arc<Mutex<Option<String>>>);

impl Address {
    /// The failure of a call that was made with a copy of this.
    pub(super) fn fault<E>(&self, call: &'static str, error: SdkError<E, HttpResponse>) -> Fault
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let fault = Fault::of_call(error);
        let address = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let attempt = Attempt {
            call,
            address,
            source: fault.source,
        };
        Fault::new(fault.kind, attempt)
    }
}

impl Intercept for Address {
    fn name(&self) -> &'static str {
        "Address"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let address = context.request().uri().to_owned();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        Ok(())
    }
}

/// A call, and where it went.
#[derive(Debug)]
struct Attempt {
    call: &'static str,
    address: Option<String>,
    source: Arc<dyn Error + Send + Sync>,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Some(address) => write!(f, "{} at {address}", self.call),
            None => write!(
                f,
                "{} was not sent; are region (AWS_REGION), address (AWS_ENDPOINT_URL_SQS) and \
                 credentials set?",
                self.call
            ),
        }
    }
}

impl Error for Attempt {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
