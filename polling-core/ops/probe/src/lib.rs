//! Asks a server for its health, over gRPC or HTTP, within a deadline.
//!
//! The program is `health-probe`; this is what it does, for tests of your own:
//!
//! ```
//! use health_probe::Arguments;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Nobody listens at port 1.
//! let arguments = Arguments::parse(["health-probe", "--addr", "127.0.0.1:1"])?;
//! let error = health_probe::ask(&arguments).await.unwrap_err();
//! assert_eq!(error.exit_code(), 2);
//! # Ok(())
//! # }
//! ```

mod arguments;
mod connect;
mod error;
mod grpc;
mod http;
#[cfg(feature = "tls")]
mod tls;

use tokio::time::Instant;

#[cfg(feature = "tls")]
pub use self::tls::Options as TlsOptions;
pub use self::{
    arguments::{Arguments, WRONG_USAGE},
    error::ProbeError,
};

/// Asks once. What it returns is the server's own word that it serves.
///
/// # Errors
///
/// [`ProbeError`] for everything else.
pub async fn ask(arguments: &Arguments) -> Result<String, ProbeError> {
    let deadline = Instant::now() + arguments.timeout;
    match (&arguments.addr, &arguments.http) {
        (Some(addr), _) => grpc::ask(arguments, addr, deadline).await,
        (None, Some(url)) => http::ask(arguments, url, deadline).await,
        (None, None) => Err(ProbeError::Usage("give --addr or --http".to_owned())),
    }
}
