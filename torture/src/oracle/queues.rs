//! How much waits in the queues, asked in SQS's query protocol, which the SDK does not use.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Client;

use crate::http;

const DEADLINE: Duration = Duration::from_secs(5);

/// The queues of one stage.
#[derive(Debug, Clone)]
pub struct Queues {
    endpoint: String,
    http: Client,
}

/// Messages of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// To be received.
    pub visible: u64,
    /// Received and not deleted.
    pub hidden: u64,
}

impl Queues {
    /// At the server's own address.
    ///
    /// # Errors
    ///
    /// When the client cannot be built.
    pub fn new(endpoint: &str) -> anyhow::Result<Self> {
        let http = http::client(DEADLINE)?;
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Ok(Self { endpoint, http })
    }

    /// What waits in `queue`.
    ///
    /// # Errors
    ///
    /// When there is no answer, or no such queue.
    pub async fn waiting(&self, queue: &str) -> anyhow::Result<Waiting> {
        let text = self
            .act(queue, "GetQueueAttributes&AttributeName.1=All")
            .await?;
        let number = |name: &str| {
            value(&text, name).with_context(|| format!("{queue}: no {name} in {text}"))
        };
        Ok(Waiting {
            visible: number("ApproximateNumberOfMessages")?,
            hidden: number("ApproximateNumberOfMessagesNotVisible")?,
        })
    }

    /// Throws away what is in `queue`.
    ///
    /// # Errors
    ///
    /// When there is no answer, or no such queue.
    pub async fn purge(&self, queue: &str) -> anyhow::Result<()> {
        self.act(queue, "PurgeQueue").await.map(drop)
    }

    /// Puts a message into `queue`; `body` is of letters and digits.
    ///
    /// # Errors
    ///
    /// When there is no answer, or no such queue.
    pub async fn send(&self, queue: &str, body: &str) -> anyhow::Result<()> {
        self.act(queue, &format!("SendMessage&MessageBody={body}"))
            .await
            .map(drop)
    }

    async fn act(&self, queue: &str, action: &str) -> anyhow::Result<String> {
        let url = format!(
            "{}/000000000000/{queue}?Version=2012-11-05&Action={action}",
            self.endpoint
        );
        let response = self.http.get(url).send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("{queue}: {action} is answered {status}: {text}");
        }
        Ok(text)
    }
}

/// From `<Name>N</Name><Value>7</Value>`, white space aside.
fn value(text: &str, name: &str) -> Option<u64> {
    let (_, after) = text.split_once(&format!("<Name>{name}</Name>"))?;
    let (_, value) = after.split_once("<Value>")?;
    value.split_once('<')?.0.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_found_by_its_whole_name() {
        let text = "<Attribute><Name>Number</Name> <Value>3</Value></Attribute>\
            <Attribute><Name>NumberNotVisible</Name><Value>7</Value></Attribute>";
        assert_eq!(value(text, "Number"), Some(3));
        assert_eq!(value(text, "NumberNotVisible"), Some(7));
        assert_eq!(value(text, "Delayed"), None);
    }
}
