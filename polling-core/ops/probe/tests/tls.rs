//! The program against an encrypted server.
#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, sync::Arc};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use polling_model::SystemClock;
use polling_ops::health::Health;
use rcgen::CertifiedKey;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{net::TcpListener, process::Command};
use tokio_rustls::TlsAcceptor;

/// A file that is gone with the value.
struct Pem(PathBuf);

impl Pem {
    fn new(text: &str) -> Self {
        let name = format!("health-probe-{}.pem", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, text).unwrap();
        Self(file)
    }
}

impl Drop for Pem {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The address of a server with a certificate for `localhost`, and the certificate.
async fn server() -> (String, Pem) {
    let names = vec!["localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let health = Health::builder(Arc::new(SystemClock)).build().unwrap();
    let service = TowerToHyperService::new(health.grpc_service());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust us leaves here.
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            tokio::spawn(
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service.clone()),
            );
        }
    });
    (address, Pem::new(&cert.pem()))
}

#[tokio::test]
async fn a_server_is_asked_if_it_can_be_trusted() {
    let (address, certificate) = server().await;
    let file = certificate.0.to_str().unwrap();
    let ask = async |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_health-probe"));
        command.args(["--addr", &address, "--tls"]).args(more);
        command.status().await.unwrap().code()
    };
    let named = ["--tls-ca-cert", file, "--tls-server-name", "localhost"];
    assert_eq!(ask(&named).await, Some(0));
    assert_eq!(ask(&["--tls-no-verify"]).await, Some(0));
    // Its certificate is not for the address, and its root not the system's.
    assert_eq!(ask(&["--tls-ca-cert", file]).await, Some(2));
    assert_eq!(ask(&[]).await, Some(2));
}
