//! Callbacks of consumers.

use std::time::Duration;

use rdkafka::{
    ClientContext, TopicPartitionList,
    consumer::{BaseConsumer, ConsumerContext, DefaultConsumerContext, Rebalance},
    error::KafkaResult,
    util::Timeout,
};

use super::{MonitoredContext, error::error_word};

/// What a context of a consumer does when it is called back.
///
/// It stands for `rdkafka`'s `ConsumerContext`, whose callbacks get the consumer *of that very context*: the consumer
/// is one of a [`MonitoredContext`] here, and that is the only difference. A context that has callbacks of its own
/// changes the name of the trait and the type of the consumer.
pub trait ConsumerCallbacks: ClientContext + Sized {
    /// Before a rebalance.
    fn pre_rebalance(&self, _: &BaseConsumer<MonitoredContext<Self>>, _: &Rebalance<'_>) {}

    /// After a rebalance.
    fn post_rebalance(&self, _: &BaseConsumer<MonitoredContext<Self>>, _: &Rebalance<'_>) {}

    /// After offsets were committed, or were not.
    fn commit_callback(&self, _: KafkaResult<()>, _: &TopicPartitionList) {}

    /// How often statistics, errors and log lines are served at least while there are no messages.
    fn main_queue_min_poll_interval(&self) -> Timeout {
        Timeout::After(Duration::from_secs(1))
    }
}

impl ConsumerCallbacks for DefaultConsumerContext {}

impl<C: ConsumerCallbacks> ConsumerContext for MonitoredContext<C> {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        (**self).pre_rebalance(consumer, rebalance);
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(_) => self.sent("assign", None, 1),
            Rebalance::Revoke(_) => self.sent("revoke", None, 1),
            Rebalance::Error(error) => self.sent("rebalance", Some(error_word(error)), 1),
        }
        (**self).post_rebalance(consumer, rebalance);
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        self.sent("commit", result.as_ref().err().map(error_word), 1);
        (**self).commit_callback(result, offsets);
    }

    fn main_queue_min_poll_interval(&self) -> Timeout {
        (**self).main_queue_min_poll_interval()
    }
}
