//! The service on real servers, with a worker that is a stub.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use polling_model::{Completion, Context, Generator, Job, Outcome, wire};
use polling_transport::{Message, Queue, sqs};
use serde_json::Value;
use support::ConfigFile;

/// A channel of its own on the real servers.
struct Setup {
    channel: String,
    config: ConfigFile,
}

/// A running service, killed with the value.
struct Service {
    process: Child,
    address: SocketAddr,
    setup: Setup,
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start dev/services"))
}

impl Setup {
    fn new() -> Self {
        let channel = format!("test-{}", Generator::from_os().nonce());
        let config = ConfigFile::new(
            &channel,
            &format!(
                "[admin]\nlisten = \"127.0.0.1:0\"\n\
                 [sqs]\nendpoint = \"{}\"\n\
                 [channels.{channel}]\nslot_width = \"1s\"\nredis = \"{}\"\n\
                 [channels.{channel}.queues]\nvisibility_timeout = \"30s\"\n\
                 [channels.{channel}.limits]\ntick = \"50ms\"\nreceive_wait = \"1s\"\n\
                 [channels.{channel}.job_types.posts]\ninterval = \"1s\"\n",
                variable("POLLING_SQS_ENDPOINT"),
                variable("POLLING_REDIS_URL")
            ),
        );
        let setup = Self { channel, config };
        let created = setup.command(&["create-queues"]).output().unwrap();
        assert!(created.status.success(), "{created:?}");
        setup
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scheduler"));
        command.arg("--config").arg(&self.config.0).args(arguments);
        command
    }

    /// The exit code and the output of a call with one value changed.
    fn told_with(&self, arguments: &[&str], key: &str, value: &str) -> (Option<i32>, String) {
        let channel = self.channel.replace('-', "_");
        let variable = format!("POLLING__CHANNELS__{channel}__{key}");
        let output = self
            .command(arguments)
            .env(variable, value)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    }
}

impl Service {
    fn start() -> Self {
        let setup = Setup::new();
        let mut process = setup
            .command(&["--log-format", "json"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let logs = BufReader::new(process.stderr.take().unwrap());
        let address = address_in(logs);
        Self {
            process,
            address,
            setup,
        }
    }

    fn jobs(&self) -> String {
        format!("/v1/channels/{}/jobs", self.setup.channel)
    }

    async fn queue(&self, ending: &str) -> sqs::SqsQueue {
        let config = sqs::client_config(&sqs::load_config().await);
        let config = config.endpoint_url(variable("POLLING_SQS_ENDPOINT"));
        let client = sqs::Client::from_conf(config.build());
        sqs::SqsQueue::connect(&client, &format!("polling-{}-{ending}", self.setup.channel))
            .await
            .unwrap()
    }

    /// The body of an answer that is a success.
    fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Ends it as a supervisor does.
    fn terminate(mut self) {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already gone after `terminate`.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads logs until the service says where it listens; the rest is read on by a thread.
fn address_in(mut logs: impl BufRead + Send + 'static) -> SocketAddr {
    loop {
        let mut line = String::new();
        assert_ne!(
            logs.read_line(&mut line).unwrap(),
            0,
            "the service has ended"
        );
        let line: Value = serde_json::from_str(&line).unwrap();
        if let Some(address) = line["fields"]["address"].as_str() {
            let address = address.parse().unwrap();
            std::thread::spawn(move || std::io::copy(&mut logs, &mut std::io::sink()));
            return address;
        }
    }
}

async fn receive(queue: &sqs::SqsQueue) -> Message {
    let messages = queue.receive(1, Duration::from_secs(20)).await.unwrap();
    messages
        .into_iter()
        .next()
        .expect("a job comes within twenty seconds")
}

fn completion(job: &Job, context: Context) -> String {
    let completion = Completion {
        id: job.id.clone(),
        job_type: job.job_type.clone(),
        token: job.token,
        outcome: Outcome::Succeeded {
            context,
            stopped: None,
        },
        allowances: Vec::new(),
        saturated: false,
        events: 0,
        finished_ms: job.due_ms,
    };
    wire::encode_completion(&completion).unwrap()
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_registered_job_reaches_the_worker_and_comes_back_with_what_the_worker_left() {
    let service = Service::start();
    let (work, completed) = (
        service.queue("posts").await,
        service.queue("completed").await,
    );
    let registered = service.call(
        "POST",
        &service.jobs(),
        r#"{"job_type": "posts", "account": "a/b@c", "context": {"since": 1}}"#,
    );
    assert_eq!(registered["id"], "posts:a/b@c");

    let message = receive(&work).await;
    let job: Job = wire::decode_job(message.body.as_bytes()).unwrap();
    assert_eq!(
        (job.id.as_str(), job.context.get_i64("since")),
        ("posts:a/b@c", Some(1))
    );
    let context = Context::from_iter([("since", 2.into())]);
    let sent = completed.send(vec![completion(&job, context)]).await;
    assert_eq!(sent, [Ok(())]);
    work.ack(&message.receipt).await.unwrap();

    // It was settled when it comes again, and with the new context.
    let message = receive(&work).await;
    let again: Job = wire::decode_job(message.body.as_bytes()).unwrap();
    assert_eq!(again.context.get_i64("since"), Some(2));
    assert_eq!(again.token.generation, job.token.generation + 1);
    let shown = service.call("GET", &format!("{}/posts:a%2Fb@c", service.jobs()), "");
    assert_eq!(
        (&shown["place"], &shown["context"]["since"]),
        (&"in_flight".into(), &2.into())
    );
    assert_eq!(service.call("GET", "/readyz", "")["ready"], true);
    service.terminate();
}

#[test]
#[ignore = "needs dev/services"]
fn queues_are_held_against_the_configuration() {
    let setup = Setup::new();
    let queue = format!("polling-{}-posts", setup.channel);
    let (code, told) = setup.told_with(&["--check"], "DEFAULT_LEVEL", "gold");
    assert!(
        code == Some(0) && told.ends_with("ok: the scheduler can start\n"),
        "{told}"
    );

    let (code, told) = setup.told_with(&["--check"], "LIMITS__MAX_RECEIVES", "2");
    let problem = format!(
        "  problem: queue {queue} allows 3 receives, limits.max_receives is 2: a message would outlive its job's time in flight; make them equal\n"
    );
    assert!(code == Some(1) && told.contains(&problem), "{told}");

    let (code, told) = setup.told_with(&["create-queues"], "QUEUES__VISIBILITY_TIMEOUT", "31s");
    assert!(
        code == Some(1) && told.contains("VisibilityTimeout is 30, wanted 31"),
        "{told}"
    );

    let (code, told) = setup.told_with(&["--check"], "SLOT_WIDTH", "2s");
    assert!(
        code == Some(1) && told.contains("has slots of 1000 ms, not 2000 ms"),
        "{told}"
    );
}
