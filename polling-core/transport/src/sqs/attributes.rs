//! Finding a queue, and reading its settings.

use std::collections::HashMap;

use aws_sdk_sqs::{Client, types::QueueAttributeName};

use super::address::Address;
use crate::{fault::Fault, queue::QueueErrorKind};

pub(super) type Attributes = HashMap<QueueAttributeName, String>;

pub(super) async fn url_of(client: &Client, name: &str) -> Result<String, Fault> {
    let address = Address::default();
    let call = client.get_queue_url().queue_name(name).customize();
    let found = call.interceptor(address.clone()).send().await;
    let answer = found.map_err(|error| address.fault("GetQueueUrl", error))?;
    let url = answer.queue_url;
    url.ok_or_else(|| Fault::new(QueueErrorKind::Other, "GetQueueUrl answered without one"))
}

pub(super) async fn read(client: &Client, url: &str) -> Result<Attributes, Fault> {
    let address = Address::default();
    let call = client.get_queue_attributes().queue_url(url);
    let call = call.attribute_names(QueueAttributeName::All).customize();
    let read = call.interceptor(address.clone()).send().await;
    let answer = read.map_err(|error| address.fault("GetQueueAttributes", error))?;
    Ok(answer.attributes.unwrap_or_default())
}

/// An attribute that must be there and be a number.
pub(super) fn number(attributes: &Attributes, name: &QueueAttributeName) -> Result<u64, Fault> {
    let value = text(attributes, name)?;
    value.parse().map_err(|_| {
        let said = format!("attribute {} is {value:?}, not a number", name.as_str());
        Fault::new(QueueErrorKind::Other, said)
    })
}

/// An attribute that must be there.
pub(super) fn text<'a>(
    attributes: &'a Attributes,
    name: &QueueAttributeName,
) -> Result<&'a str, Fault> {
    attributes.get(name).map(String::as_str).ok_or_else(|| {
        let said = format!("attribute {} is missing from the answer", name.as_str());
        Fault::new(QueueErrorKind::Other, said)
    })
}
