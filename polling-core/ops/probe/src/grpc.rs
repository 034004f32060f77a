//! One call of `grpc.health.v1.Health/Check`.

use ::http::Uri;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tower::service_fn;

use crate::{
    Arguments, ProbeError,
    connect::{Address, connect},
    error::NotInTime,
};

pub(crate) async fn ask(
    arguments: &Arguments,
    addr: &str,
    deadline: Instant,
) -> Result<String, ProbeError> {
    let address = Address::parse(addr)?;
    let encrypted = encrypted(arguments);
    let stream = connect(arguments, &address, encrypted, b"h2", deadline).await?;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = match timeout_at(deadline, handshake).await {
        Ok(Ok(parts)) => parts,
        Ok(Err(error)) => return Err(ProbeError::connect(addr, error)),
        Err(_) => return Err(ProbeError::connect(addr, NotInTime)),
    };
    // It ends with the process; how is seen by the call.
    tokio::spawn(connection);
    let scheme = if encrypted { "https" } else { "http" };
    let authority = addr
        .strip_prefix(':')
        .map(|port| format!("localhost:{port}"));
    let origin = format!("{scheme}://{}", authority.as_deref().unwrap_or(addr));
    let origin: Uri = origin
        .parse()
        .map_err(|error| ProbeError::Usage(format!("--addr {addr:?} is no address: {error}")))?;
    let send = service_fn(move |request| sender.clone().send_request(request));
    let mut client = HealthClient::with_origin(send, origin);
    let request = HealthCheckRequest {
        service: arguments.service.clone(),
    };
    match timeout_at(deadline, client.check(request)).await {
        Ok(Ok(response)) => told(response.into_inner().status()),
        Ok(Err(status)) => Err(failed(&status, &arguments.service)),
        Err(_) => Err(ProbeError::call(NotInTime)),
    }
}

#[cfg(feature = "tls")]
const fn encrypted(arguments: &Arguments) -> bool {
    arguments.tls.tls
}

#[cfg(not(feature = "tls"))]
const fn encrypted(_: &Arguments) -> bool {
    false
}

fn told(status: ServingStatus) -> Result<String, ProbeError> {
    let answer = status.as_str_name().to_owned();
    match status {
        ServingStatus::Serving => Ok(answer),
        _ => Err(ProbeError::NotServing { answer }),
    }
}

fn failed(status: &Status, service: &str) -> ProbeError {
    let words = match status.code() {
        Code::Unimplemented => "the server has no grpc.health.v1.Health".to_owned(),
        Code::NotFound => format!("the server knows no service {service:?}"),
        code => format!("{code:?}: {}", status.message()),
    };
    ProbeError::call(words)
}
