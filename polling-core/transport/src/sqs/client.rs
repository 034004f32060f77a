//! The client that queues share: its settings, its deadlines and its way to the server.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sqs::{
    Client,
    config::{Builder, SharedHttpClient},
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Deadline of one attempt of a call, a receive's own wait aside.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// Deadline of a call with all its attempts, a receive's own wait aside.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);

/// How often a call is tried.
pub const MAX_ATTEMPTS: u32 = 3;

/// Bounds of the random wait before a call is tried again.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// The usual AWS settings: environment, profiles, and the roles of containers and instances.
///
/// Region `AWS_REGION`, endpoint `AWS_ENDPOINT_URL_SQS` or `AWS_ENDPOINT_URL` for a server of
/// your own. It cannot sign in by single sign-on: for that, load the settings with `aws-config`
/// and its feature `sso`.
pub async fn load_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .load()
        .await
}

/// A client with deadlines and retries for queues. One is enough for all queues of a process.
#[must_use]
pub fn client(config: &SdkConfig) -> Client {
    Client::from_conf(client_config(config).build())
}

/// The settings of [`client()`], to be changed before a client is made of them.
///
/// Without deadlines a call to a lost server would wait for ever. A call that is tried again may
/// have had its effect the first time: a message may be sent twice. That is no worse than what
/// the queue itself may do, which delivers at least once.
#[must_use]
pub fn client_config(config: &SdkConfig) -> Builder {
    let builder = Builder::from(config)
        .behavior_version(BehaviorVersion::latest())
        .timeout_config(timeouts(Duration::ZERO))
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(MAX_ATTEMPTS)
                .with_initial_backoff(INITIAL_BACKOFF)
                .with_max_backoff(MAX_BACKOFF),
        );
    match config.http_client() {
        Some(_) => builder,
        None => builder.http_client(http_client()),
    }
}

/// Deadlines of a call that the server may hold for `wait`.
pub(super) fn timeouts(wait: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(wait + ATTEMPT_TIMEOUT)
        .operation_timeout(wait + OPERATION_TIMEOUT)
        .build()
}

/// TLS by rustls with *ring*: the client's default would compile a C library for minutes.
fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}
