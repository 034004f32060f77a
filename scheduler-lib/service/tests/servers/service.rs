//! The program, with a channel of its own on real servers.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use polling_model::Generator;
use polling_transport::{SharedQueue, redis, sqs};
use serde_json::Value;

use crate::support::ConfigFile;

/// A channel of its own on the real servers.
pub(crate) struct Setup {
    pub(crate) channel: String,
    config: ConfigFile,
    transport: Transport,
}

/// What its queues are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Sqs,
    Redis,
}

/// A running service, killed with the value.
pub(crate) struct Service {
    process: Child,
    address: SocketAddr,
    setup: Setup,
}

pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start dev/services"))
}

impl Setup {
    pub(crate) fn new(redis: &str) -> Self {
        Self::on(redis, Transport::Sqs)
    }

    /// On Redis no SQS is needed, and none is named.
    pub(crate) fn on(redis: &str, transport: Transport) -> Self {
        // A space has the channel's name, and that is short.
        let channel = format!("test-{}", Generator::from_os().nonce());
        let (sqs, transport_name) = match transport {
            Transport::Sqs => (variable("POLLING_SQS_ENDPOINT"), "sqs"),
            Transport::Redis => ("http://127.0.0.1:1".to_owned(), "redis"),
        };
        let config = ConfigFile::new(
            &channel,
            &format!(
                "[admin]\nlisten = \"127.0.0.1:0\"\n\
                 [sqs]\nendpoint = \"{sqs}\"\n\
                 [channels.{channel}]\nslot_width = \"1s\"\nredis = \"{redis}\"\n\
                 [channels.{channel}.queues]\nvisibility_timeout = \"30s\"\ntransport = \"{transport_name}\"\n\
                 [channels.{channel}.limits]\ntick = \"50ms\"\nreceive_wait = \"1s\"\n\
                 [channels.{channel}.job_types.posts]\ninterval = \"1s\"\n",
            ),
        );
        let setup = Self {
            channel,
            config,
            transport,
        };
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
    pub(crate) fn told_with(
        &self,
        arguments: &[&str],
        key: &str,
        value: &str,
    ) -> (Option<i32>, String) {
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
    pub(crate) fn start(redis: &str) -> Self {
        Self::start_on(redis, Transport::Sqs)
    }

    pub(crate) fn start_on(redis: &str, transport: Transport) -> Self {
        let setup = Setup::on(redis, transport);
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

    pub(crate) fn channel(&self) -> &str {
        &self.setup.channel
    }

    /// As [`Setup::told_with`], of the configuration that it runs on.
    pub(crate) fn told_with(
        &self,
        arguments: &[&str],
        key: &str,
        value: &str,
    ) -> (Option<i32>, String) {
        self.setup.told_with(arguments, key, value)
    }

    pub(crate) fn jobs(&self) -> String {
        format!("/v1/channels/{}/jobs", self.setup.channel)
    }

    pub(crate) async fn queue(&self, ending: &str) -> SharedQueue {
        let name = format!("polling-{}-{ending}", self.setup.channel);
        if self.setup.transport == Transport::Redis {
            let url = variable("POLLING_REDIS_URL");
            let client = redis::Client::builder(url, self.channel()).build().unwrap();
            return Arc::new(redis::RedisQueue::connect(&client, &name).await.unwrap());
        }
        let config = sqs::client_config(&sqs::load_config().await);
        let config = config.endpoint_url(variable("POLLING_SQS_ENDPOINT"));
        let client = sqs::Client::from_conf(config.build());
        Arc::new(sqs::SqsQueue::connect(&client, &name).await.unwrap())
    }

    /// The body of an answer that is a success.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let (head, body) = self.exchange(method, path, body);
        assert!(head.starts_with("HTTP/1.1 2"), "{head}\n{body}");
        body
    }

    /// The head and the body of an answer.
    pub(crate) fn exchange(&self, method: &str, path: &str, body: &str) -> (String, Value) {
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
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let body = match body {
            "" => Value::Null,
            body => serde_json::from_str(body).unwrap(),
        };
        (head.to_owned(), body)
    }

    /// Ends it as a supervisor does.
    pub(crate) fn terminate(mut self) {
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
