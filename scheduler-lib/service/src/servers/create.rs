//! Creating the queues that a configuration names, for whoever sets the system up.

use polling_model::ChannelId;
use polling_transport::DeadLetter;

use super::{
    queue::{Role, roles},
    transport::{Spec, Transports},
};
use crate::config::{ChannelConfig, Config};

/// Receives of a completion before it is a dead letter: many, since an outage of the store makes
/// each fail for as long as it lasts.
pub(super) const COMPLETED_MAX_RECEIVES: u32 = 100;

/// A queue that exists as configured, or why it does not.
#[derive(Debug)]
pub struct Created {
    /// The channel it belongs to.
    pub channel: ChannelId,
    /// What it is for.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// Whether it exists as configured.
    pub result: Result<(), String>,
}

/// Creates every queue that does not exist, the dead-letter queues first. One that exists with
/// other settings is left as it is, and told.
pub async fn create_queues(config: &Config) -> Vec<Created> {
    let transports = Transports::new(config).await;
    let mut created = Vec::new();
    for (id, channel) in &config.channels {
        let transport = transports.of(id, channel);
        for (role, spec) in specs(id, channel) {
            let name = spec.name.clone();
            let result = match &transport {
                Ok(transport) => transport.create(spec).await,
                Err(problem) => Err(problem.clone()),
            };
            created.push(Created {
                channel: id.clone(),
                role,
                name,
                result,
            });
        }
    }
    created
}

fn specs(id: &ChannelId, channel: &ChannelConfig) -> Vec<(Role, Spec)> {
    let names = channel.queue_names(id);
    let dead_letter = names.dead_letter.clone();
    let mut all = roles(names);
    // Others refer to it.
    all.sort_by_key(|(role, _)| *role != Role::DeadLetter);
    let spec = |(role, name): (Role, String)| {
        let max_receives = match &role {
            Role::DeadLetter => None,
            Role::Completed => Some(COMPLETED_MAX_RECEIVES),
            Role::Work(_) => Some(channel.limits.max_receives),
        };
        let spec = Spec {
            name,
            visibility_timeout: channel.queues.visibility_timeout,
            dead_letter: max_receives.map(|max_receives| DeadLetter {
                queue: dead_letter.clone(),
                max_receives,
            }),
        };
        (role, spec)
    };
    all.into_iter().map(spec).collect()
}
