//! TLS with a certificate that the system's roots vouch for.

use std::{env, path::Path, process::Command};

use scheduler_lib::store::{RedisStore, SlotStore, StoreError, conformance::START_MS};

use crate::{
    fixture::{at, channel, new_job},
    own_server::{OwnServer, free_port},
};

/// Where the test is when it has called itself; the roots are the process's.
const URL: &str = "POLLING_TLS_TEST_URL";

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A root, and what it vouches for: localhost.
fn certify(folder: &Path) {
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(
        folder,
        &format!("{new} -subj /CN=root -keyout root.key -out root.pem"),
    );
    let leaf = "-subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
    openssl(
        folder,
        &format!("{new} {leaf} -CA root.pem -CAkey root.key -keyout key.pem -out cert.pem"),
    );
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_is_trusted_if_the_systems_roots_vouch_for_it() {
    if let Ok(url) = env::var(URL) {
        let store = RedisStore::builder(url, channel()).max_skew(None);
        let store = store.open(START_MS).await.expect("it is trusted");
        store
            .register(vec![new_job("a", 3)], at(0))
            .await
            .expect("register");
        assert_eq!(store.counts().await.expect("counts").registered, 1);
        return;
    }
    let folder = env::temp_dir().join(format!("tls-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder");
    certify(&folder);
    let file = |name: &str| folder.join(name).display().to_string();
    let (cert, key, root, port) = (
        file("cert.pem"),
        file("key.pem"),
        file("root.pem"),
        free_port(),
    );
    let tls_port = port.to_string();
    let server = OwnServer::start(&[
        "--tls-port",
        &tls_port,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &root,
        "--tls-auth-clients",
        "no",
    ])
    .await;
    let url = format!("rediss://localhost:{port}/");
    // This process's roots do not know it.
    let error = RedisStore::builder(&url, channel()).open(START_MS).await;
    assert!(
        matches!(error, Err(StoreError::Unavailable { .. })),
        "{error:?}"
    );
    let output = Command::new(env::current_exe().expect("a program"))
        .args([
            "tls::a_server_is_trusted_if_the_systems_roots_vouch_for_it",
            "--exact",
            "--include-ignored",
        ])
        .envs([(URL, &url), ("SSL_CERT_FILE", &root)])
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    drop(server);
    std::fs::remove_dir_all(folder).expect("the folder");
}
