//! Conservation: each registered job is in exactly one place, by one read-only script.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context as _;
use redis::{AsyncConnectionConfig, Client, aio::MultiplexedConnection};

use super::record::Record;

const SCRIPT: &str = include_str!("places.lua");

/// How long a look may take, connecting included.
const DEADLINE: Duration = Duration::from_secs(5);

/// What one look found.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Jobs registered.
    pub registered: u64,
    /// Jobs in slots.
    pub slots: u64,
    /// Jobs in flight.
    pub in_flight: u64,
    /// Jobs due beyond the ring.
    pub later: u64,
    /// Jobs held.
    pub held: u64,
    /// Chunks not known to be sent.
    pub open_notes: u64,
    /// Jobs that are lost, in two places, or not where their record says; the first 20.
    pub violations: Vec<String>,
    /// All records, by job.
    pub records: Vec<(String, Record)>,
}

impl Look {
    /// The registered jobs.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<&str> {
        self.records.iter().map(|(id, _)| id.as_str()).collect()
    }
}

type Found = (Vec<u64>, Vec<String>, Vec<String>);

/// Looks at one store again and again, over one connection as long as it lasts.
#[derive(Debug)]
pub struct Places {
    client: Client,
    prefix: String,
    connection: Option<MultiplexedConnection>,
}

impl Places {
    /// The store whose keys begin with `prefix`, on the Redis at `url`.
    ///
    /// # Errors
    ///
    /// When the address is none.
    pub fn new(url: &str, prefix: String) -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::open(url)?,
            prefix,
            connection: None,
        })
    }

    /// Looks once.
    ///
    /// # Errors
    ///
    /// When Redis does not answer; the next look connects anew.
    pub async fn look(&mut self) -> anyhow::Result<Look> {
        let looked = self.ask().await;
        if looked.is_err() {
            self.connection = None;
        }
        looked
    }

    async fn ask(&mut self) -> anyhow::Result<Look> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(DEADLINE))
                    .set_response_timeout(Some(DEADLINE));
                let made = self
                    .client
                    .get_multiplexed_async_connection_with_config(&config);
                none.insert(made.await?)
            }
        };
        let mut command = redis::cmd("EVAL_RO");
        command.arg(SCRIPT).arg(1).arg(&self.prefix).arg(1);
        let found: Found = command.query_async(connection).await?;
        read(found)
    }
}

fn read((counts, violations, records): Found) -> anyhow::Result<Look> {
    let [registered, slots, in_flight, later, held, open_notes] = counts[..] else {
        anyhow::bail!("the script answers {} counts", counts.len());
    };
    let record = |pair: &[String]| {
        let [id, text] = pair else {
            anyhow::bail!("a record without its job");
        };
        let record = Record::parse(text).with_context(|| format!("the record of {id}: {text}"))?;
        Ok((id.clone(), record))
    };
    Ok(Look {
        registered,
        slots,
        in_flight,
        later,
        held,
        open_notes,
        violations,
        records: records.chunks(2).map(record).collect::<Result<_, _>>()?,
    })
}
