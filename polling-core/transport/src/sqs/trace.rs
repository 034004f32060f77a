//! The trace of a message, as an attribute of it.

use std::collections::HashMap;

use aws_sdk_sqs::{
    error::BuildError,
    types::{Message, MessageAttributeValue},
};
use polling_model::trace::{HEADER, TraceContext, Traceparent};

const TYPE: &str = "String";

/// What it adds to the size of a message: SQS counts name, type and value.
pub(super) const SIZE_BYTES: usize = HEADER.len() + TYPE.len() + Traceparent::LEN;

pub(super) fn attributes(
    trace: &TraceContext,
) -> Result<HashMap<String, MessageAttributeValue>, BuildError> {
    let value = MessageAttributeValue::builder().data_type(TYPE);
    let value = value
        .string_value(trace.to_traceparent().as_str())
        .build()?;
    Ok(HashMap::from([(HEADER.to_owned(), value)]))
}

/// `None` also for what is none: who sent it may be any tool.
pub(super) fn of(message: &Message) -> Option<TraceContext> {
    let value = message.message_attributes.as_ref()?.get(HEADER)?;
    TraceContext::from_traceparent(value.string_value()?).ok()
}
