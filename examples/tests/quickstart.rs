//! The quickstart as whoever tries it sees it: a report, a console for as long as it runs, and a link that opens it.
#![allow(clippy::unwrap_used)]

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::LazyLock,
    time::Duration,
};

use serde_json::Value;

/// Built as whoever tries it builds it: with no feature, which a test of the whole workspace would turn on.
fn program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let test = env::current_exe().unwrap();
        let target = test.ancestors().nth(3).unwrap();
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "examples"])
            .args(["--example", "quickstart", "--target-dir"])
            .arg(target)
            .status();
        assert!(built.unwrap().success());
        target.join("debug/examples/quickstart")
    });
    &PROGRAM
}

/// A quickstart that runs for long, killed with the value.
struct Running {
    process: Child,
    /// What it says must have somebody to hear it.
    _said: BufReader<ChildStderr>,
    address: String,
    token: String,
}

impl Running {
    fn start() -> Self {
        let mut process = Command::new(program())
            .args(["--for", "600", "--accounts", "10"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let link = said
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.trim().strip_prefix("http://")?.to_owned()))
            .expect("it prints a link");
        let (address, token) = link.split_once("/console/login#").unwrap();
        Self {
            process,
            _said: said,
            address: address.to_owned(),
            token: token.to_owned(),
        }
    }

    /// The answer's head and body.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn log_in(&self, secret: &str) -> String {
        let body = format!("secret={secret}");
        self.ask(&format!(
            "POST /console/login HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_link_that_it_prints_opens_the_console() {
    let running = Running::start();
    let page = running.ask(&format!(
        "GET /console/login HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        running.address
    ));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("Log in"), "{page}");
    let open = running.log_in(&running.token);
    assert!(open.starts_with("HTTP/1.1 303"), "{open}");
    assert!(open.contains("set-cookie: polling_session="), "{open}");
    let shut = running.log_in("ffffffffffffffffffffffffffffffff");
    assert!(shut.starts_with("HTTP/1.1 401"), "{shut}");
}

#[test]
fn each_run_has_a_token_of_its_own() {
    let tokens = [Running::start(), Running::start()].map(|running| running.token.clone());
    assert_ne!(tokens[0], tokens[1]);
    assert!(tokens.iter().all(|token| token.len() == 32), "{tokens:?}");
}

#[test]
fn its_report_is_one_object_and_nothing_else() {
    let ended = Command::new(program())
        .args(["--for", "3", "--accounts", "20", "--json"])
        .output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["lost"], 0);
    assert!(report["cycles"].as_u64().unwrap() > 0, "{report}");
    assert!(
        String::from_utf8(ended.stderr)
            .unwrap()
            .contains("/console/login#")
    );
}

#[test]
fn one_can_do_without_the_console() {
    let ended = Command::new(program())
        .args(["--for", "3", "--accounts", "20", "--no-console"])
        .output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(!String::from_utf8(ended.stderr).unwrap().contains("http://"));
}
