//! What a message through a queue on Redis costs, in the server's processor time and in ours.
//!
//! ```console
//! cargo run --release -p polling-transport --features redis --example redis_queue_cost -- redis://127.0.0.1:6379/ 100
//! ```
//!
//! The second argument is how many messages one send and one receive have. The server should do
//! nothing else meanwhile.
#![allow(clippy::print_stdout)]

use std::{env, error::Error, fs, time::Duration};

use polling_model::Generator;
use polling_transport::{
    Message, Queue,
    redis::{Client, QueueSpec, RedisQueue, create_queue},
};
use tokio::time::Instant;

const MESSAGES: usize = 100_000;

const BODY_SIZE_BYTES: usize = 400;

/// The kernel counts processor time of a process in hundredths of a second.
const TICKS_PER_S: f64 = 100.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().unwrap_or("redis://127.0.0.1:6379/".into());
    let batch: usize = arguments.next().map_or(Ok(100), |n| n.parse())?;
    let space = format!("cost-{:016x}", Generator::from_os().next_u64());
    let client = Client::builder(&url, space).build()?;
    create_queue(&client, &QueueSpec::new("jobs", Duration::from_secs(600))).await?;
    let queue = RedisQueue::connect(&client, "jobs").await?;
    let server = redis::Client::open(url)?;
    let mut server = server.get_multiplexed_async_connection().await?;

    let mut meter = Meter::start(&mut server).await?;
    for _ in 0..MESSAGES / batch {
        let body = "x".repeat(BODY_SIZE_BYTES);
        for sent in queue.send(vec![body; batch]).await {
            sent?;
        }
    }
    meter.tell("send", &mut server).await?;
    let mut held: Vec<Vec<Message>> = Vec::new();
    for _ in 0..MESSAGES / batch {
        held.push(queue.receive(batch, Duration::ZERO).await?);
    }
    meter.tell("receive", &mut server).await?;
    for messages in held {
        let receipts: Vec<_> = messages
            .into_iter()
            .map(|message| message.receipt)
            .collect();
        for acked in queue.ack_all(&receipts).await {
            acked?;
        }
    }
    meter.tell("ack", &mut server).await
}

/// Processor time of the server and of this process, and time.
struct Meter {
    server_s: f64,
    own_s: f64,
    at: Instant,
}

impl Meter {
    async fn start(server: &mut redis::aio::MultiplexedConnection) -> Result<Self, Box<dyn Error>> {
        let info: String = redis::cmd("INFO").arg("cpu").query_async(server).await?;
        let seconds = |line: &str| {
            let of_main = line.starts_with("used_cpu_") && line.contains("_main_thread:");
            let (_, value) = line.split_once(':').filter(|_| of_main)?;
            value.trim().parse::<f64>().ok()
        };
        let stat = fs::read_to_string("/proc/self/stat")?;
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let ticks = after_name.split(' ').skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|text| text.parse::<f64>().ok()).sum();
        Ok(Self {
            server_s: info.lines().filter_map(seconds).sum(),
            own_s: ticks / TICKS_PER_S,
            at: Instant::now(),
        })
    }

    /// Tells what a message has cost since, and begins anew.
    async fn tell(
        &mut self,
        what: &str,
        server: &mut redis::aio::MultiplexedConnection,
    ) -> Result<(), Box<dyn Error>> {
        let now = Self::start(server).await?;
        let each = |seconds: f64| seconds * 1e6 / MESSAGES as f64;
        println!(
            "{what:8} {:6.2} us of the server, {:6.2} us of ours, {:6.2} us in all",
            each(now.server_s - self.server_s),
            each(now.own_s - self.own_s),
            each((now.at - self.at).as_secs_f64()),
        );
        *self = now;
        Ok(())
    }
}
