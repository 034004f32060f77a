//! What the client's errors mean for a queue.

use std::error::Error;

use aws_sdk_sqs::{
    config::http::HttpResponse,
    error::{ConnectorError, ProvideErrorMetadata, SdkError},
};

use crate::{fault::Fault, queue::QueueErrorKind};

impl Fault {
    pub(super) fn of_call<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        Self::new(kind_of_call(&error), error)
    }

    /// One entry of a batch, by what the server said about it.
    pub(super) fn of_entry(code: &str, message: Option<&str>) -> Self {
        let said = format!("{code}: {}", message.unwrap_or("no message"));
        let kind = match is_expired_receipt(code, message) {
            true => QueueErrorKind::StaleReceipt,
            false => kind_of_code(code),
        };
        Self::new(kind, said)
    }
}

fn kind_of_call<E>(error: &SdkError<E, HttpResponse>) -> QueueErrorKind
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::TimeoutError(_) => QueueErrorKind::Timeout,
        SdkError::DispatchFailure(failure) => failure
            .as_connector_error()
            .map_or(QueueErrorKind::Other, kind_of_connection),
        SdkError::ResponseError(response) => kind_of_status(response.raw().status().as_u16()),
        SdkError::ServiceError(service) => {
            let by_code = service
                .err()
                .code()
                .map_or(QueueErrorKind::Other, kind_of_code);
            match by_code {
                QueueErrorKind::Other => kind_of_status(service.raw().status().as_u16()),
                known => known,
            }
        }
        _ => QueueErrorKind::Other,
    }
}

/// No connection within its time, one that broke, one that closed half-way: nobody is there.
fn kind_of_connection(error: &ConnectorError) -> QueueErrorKind {
    if error.is_user() {
        QueueErrorKind::Other
    } else if error.is_other() && is_about_credentials(error) {
        QueueErrorKind::Denied
    } else {
        QueueErrorKind::Unreachable
    }
}

/// Missing credentials come as a failed connection too, of types that the client keeps to itself.
fn is_about_credentials(error: &dyn Error) -> bool {
    let words = error.to_string();
    ["credentials", "identity"]
        .iter()
        .any(|word| words.contains(word))
        || error.source().is_some_and(is_about_credentials)
}

fn kind_of_status(status: u16) -> QueueErrorKind {
    match status {
        401 | 403 => QueueErrorKind::Denied,
        429 | 500.. => QueueErrorKind::Unavailable,
        _ => QueueErrorKind::Other,
    }
}

/// By the codes in the service's reference; those of the older protocol have a prefix.
fn kind_of_code(code: &str) -> QueueErrorKind {
    match code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code) {
        "QueueDoesNotExist" | "NonExistentQueue" => QueueErrorKind::NoSuchQueue,
        "QueueNameExists" | "QueueAlreadyExists" => QueueErrorKind::Conflict,
        "ReceiptHandleIsInvalid" | "MessageNotInflight" => QueueErrorKind::StaleReceipt,
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidSecurity"
        | "KmsAccessDenied"
        | "MissingAuthenticationToken"
        | "NotAuthorized"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => QueueErrorKind::Denied,
        "InternalError"
        | "InternalFailure"
        | "KmsThrottled"
        | "OverLimit"
        | "RequestThrottled"
        | "ServiceUnavailable"
        | "Throttling"
        | "ThrottlingException" => QueueErrorKind::Unavailable,
        _ => QueueErrorKind::Other,
    }
}

/// A receipt that has expired is reported as an invalid value of its parameter.
fn is_expired_receipt(code: &str, message: Option<&str>) -> bool {
    let expired = || message.is_some_and(|message| message.contains("expired"));
    code == "InvalidParameterValue" && expired()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_protocols_mean_the_same() {
        for (code, kind) in [
            ("QueueDoesNotExist", QueueErrorKind::NoSuchQueue),
            (
                "AWS.SimpleQueueService.NonExistentQueue",
                QueueErrorKind::NoSuchQueue,
            ),
            (
                "AWS.SimpleQueueService.MessageNotInflight",
                QueueErrorKind::StaleReceipt,
            ),
            ("ThrottlingException", QueueErrorKind::Unavailable),
            ("InvalidClientTokenId", QueueErrorKind::Denied),
            ("SomethingNew", QueueErrorKind::Other),
        ] {
            assert_eq!(kind_of_code(code), kind, "{code}");
        }
    }
}
