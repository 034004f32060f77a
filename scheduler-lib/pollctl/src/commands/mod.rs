//! The commands, one subject a file.

pub(crate) mod alerts;
pub(crate) mod bulk;
pub(crate) mod channel;
pub(crate) mod channels;
pub(crate) mod config;
pub(crate) mod dead_letters;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod export;
mod filter;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod jobs;
mod messages;
pub(crate) mod moving;
pub(crate) mod queues;
mod rows;
pub(crate) mod scale;
pub(crate) mod scopes;
pub(crate) mod slots;
