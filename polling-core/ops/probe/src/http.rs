//! One `GET`.

use std::{future::poll_fn, pin::Pin};

use ::http::{Request, StatusCode, Uri, header};
use hyper::{
    body::{Body as _, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use crate::{
    Arguments, ProbeError,
    connect::{Address, connect},
    error::NotInTime,
};

/// How much of a page is shown that tells that the server does not serve, bytes.
const MAX_SHOWN_BYTES: usize = 4_096;

pub(crate) async fn ask(
    arguments: &Arguments,
    url: &str,
    deadline: Instant,
) -> Result<String, ProbeError> {
    let wrong = |what: &str| ProbeError::Usage(format!("--http {url:?} {what}"));
    let uri: Uri = url.parse().map_err(|_| wrong("is no address"))?;
    let encrypted = match uri.scheme_str() {
        Some("http") => false,
        Some("https") if cfg!(feature = "tls") => true,
        Some("https") => return Err(wrong("needs a program built with --features tls")),
        _ => return Err(wrong("has to begin with http://")),
    };
    let host = uri.host().ok_or_else(|| wrong("names no host"))?;
    let address = Address {
        host: host.trim_start_matches('[').trim_end_matches(']'),
        port: uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 }),
    };
    let stream = connect(arguments, &address, encrypted, b"http/1.1", deadline).await?;
    match timeout_at(deadline, get(TokioIo::new(stream), &uri)).await {
        Ok(Ok((status, _))) if is_healthy(status) => Ok(status.to_string()),
        Ok(Ok((status, page))) => Err(ProbeError::NotServing {
            answer: format!("{status}: {page}"),
        }),
        Ok(Err(error)) => Err(ProbeError::call(error)),
        Err(_) => Err(ProbeError::call(NotInTime)),
    }
}

/// As Kubernetes has it.
fn is_healthy(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection()
}

/// The status, and the beginning of the page if it is not healthy.
async fn get<S>(stream: TokioIo<S>, uri: &Uri) -> hyper::Result<(StatusCode, String)>
where
    TokioIo<S>: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(stream).await?;
    tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    // The last of user:password@host:port.
    let host = authority.rsplit('@').next().unwrap_or_default();
    let mut request = Request::new(String::new());
    *request.uri_mut() = path.parse().expect("it is a part of an address");
    if let Ok(host) = host.parse() {
        request.headers_mut().insert(header::HOST, host);
    }
    let response = sender.send_request(request).await?;
    let status = response.status();
    let page = if is_healthy(status) {
        String::new()
    } else {
        beginning(response.into_body()).await?
    };
    Ok((status, page))
}

async fn beginning(mut body: Incoming) -> hyper::Result<String> {
    let mut page = Vec::new();
    while page.len() < MAX_SHOWN_BYTES {
        match poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            Some(frame) => page.extend(frame?.into_data().unwrap_or_default()),
            None => break,
        }
    }
    page.truncate(MAX_SHOWN_BYTES);
    Ok(String::from_utf8_lossy(&page).into_owned())
}
