//! TLS: servers that the system's roots vouch for, or a root of one's own, and clients with a
//! certificate.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use scheduler_lib::store::{LinkOptions, RedisStore, SlotStore, StoreError, conformance::START_MS};

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

/// A root, and what it vouches for, in a folder that goes with it.
struct Certified {
    folder: PathBuf,
}

impl Certified {
    /// A root, localhost and a client.
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("tls-{name}-{}", std::process::id()));
        fs::create_dir(&folder).expect("a folder");
        let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        openssl(
            &folder,
            &format!("{new} -subj /CN=root -keyout root.key -out root.pem"),
        );
        let end = "-addext basicConstraints=critical,CA:FALSE -CA root.pem -CAkey root.key";
        let local = "-subj /CN=localhost -addext subjectAltName=DNS:localhost";
        for (one, subject) in [("server", local), ("client", "-subj /CN=scheduler")] {
            openssl(
                &folder,
                &format!("{new} {subject} {end} -keyout {one}.key -out {one}.pem"),
            );
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).expect("a file")
    }

    /// A server on a port of its own for TLS, and its address.
    async fn server(&self, auth_clients: &str) -> (OwnServer, String) {
        let port = free_port();
        let server = OwnServer::start(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &self.file("server.pem"),
            "--tls-key-file",
            &self.file("server.key"),
            "--tls-ca-cert-file",
            &self.file("root.pem"),
            "--tls-auth-clients",
            auth_clients,
        ])
        .await;
        (server, format!("rediss://localhost:{port}/"))
    }
}

impl Drop for Certified {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
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
    let certified = Certified::new("system");
    let (server, url) = certified.server("no").await;
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
        .envs([(URL, &url), ("SSL_CERT_FILE", &certified.file("root.pem"))])
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    drop(server);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_root_of_ones_own_vouches_for_the_server_and_a_certificate_for_the_client() {
    let certified = Certified::new("own");
    let (_server, url) = certified.server("yes").await;
    let open = async |options: LinkOptions| {
        let builder = RedisStore::builder(&url, channel()).link(options);
        builder.max_skew(None).open(START_MS).await
    };
    let root = || LinkOptions::default().root_certificates(certified.read("root.pem"));
    let client = certified.read("client.pem");
    let options = root().client_certificate(client.clone(), certified.read("client.key"));
    let shown = format!("{options:?}");
    assert!(
        !shown.contains("PRIVATE") && shown.contains("redacted"),
        "{shown}"
    );
    let store = open(options).await.expect("both are trusted");
    assert_eq!(store.counts().await.expect("counts").registered, 0);

    let refused = open(root())
        .await
        .expect_err("the server asks for a certificate");
    assert!(
        matches!(refused, StoreError::Unavailable { .. }),
        "{refused:?}"
    );
    let other = Certified::new("other");
    let untrusted = LinkOptions::default().root_certificates(other.read("root.pem"));
    let untrusted = open(untrusted.client_certificate(client, certified.read("client.key")));
    let error = polling_model::chain(&untrusted.await.expect_err("another root"));
    assert!(error.contains("invalid peer certificate"), "{error}");
}
