//! Creating the queues that a configuration names, for whoever sets the system up.

use polling_model::{ChannelId, chain};
use polling_transport::sqs::{self, QueueSpec};

use super::queue::{Role, roles};
use crate::config::{ChannelConfig, Config};

/// Receives of a completion before it is a dead letter: many, since an outage of the store makes
/// each fail for as long as it lasts.
const COMPLETED_MAX_RECEIVES: u32 = 100;

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
    let client = super::client(&config.sqs).await;
    let mut created = Vec::new();
    for (id, channel) in &config.channels {
        for spec in specs(id, channel) {
            let (role, spec) = spec;
            let result = sqs::create_queue(&client, &spec).await;
            created.push(Created {
                channel: id.clone(),
                role,
                name: spec.name,
                result: result.map_err(|error| chain(&error)),
            });
        }
    }
    created
}

fn specs(id: &ChannelId, channel: &ChannelConfig) -> Vec<(Role, QueueSpec)> {
    let names = channel.queue_names(id);
    let dead_letter = names.dead_letter.clone();
    let mut all = roles(names);
    // Others refer to it.
    all.sort_by_key(|(role, _)| *role != Role::DeadLetter);
    let spec = |(role, name): (Role, String)| {
        let spec = QueueSpec::new(name, channel.queues.visibility_timeout);
        let spec = match &role {
            Role::DeadLetter => spec,
            Role::Completed => spec.dead_letter(&dead_letter, COMPLETED_MAX_RECEIVES),
            Role::Work(_) => spec.dead_letter(&dead_letter, channel.limits.max_receives),
        };
        (role, spec)
    };
    all.into_iter().map(spec).collect()
}
