//! A job through all layers of a worker, over ports that do next to nothing, and the same job
//! through what a worker without layers cannot do without either.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use anyhow::Context as _;
use polling_core::{
    BoxError, Delivery, Job, Keeper, PollError, Polled, Poller, PollerService,
    ack::AckLayer,
    adapt::AdaptLayer,
    catch_panic::CatchPanicLayer,
    complete::CompleteLayer,
    poller_fn,
    publish::{PublishLayer, PublishLimits},
    rate_limit::{RateLimitLayer, Scope},
    timeout::TimeoutLayer,
};
use polling_model::{
    Clock as _, Completion, Context, Generator, Outcome, SharedClock, SharedObserver, SystemClock,
    Token, wire,
};
use polling_transport::{Message, Receipt, SharedQueue};

use tower::{Service, ServiceBuilder, util::BoxService};

use crate::{
    idle::{IdleBus, IdleQueue},
    jobs,
};

const LIFE: Duration = Duration::from_secs(600);

/// A worker's stack, its poller finding nothing.
pub struct Layers {
    stack: BoxService<Delivery, (), BoxError>,
    queue: SharedQueue,
    keeper: Keeper,
    body: String,
}

async fn poll(job: Job) -> Result<Polled, PollError> {
    Ok(Polled::new(job.context.clone()))
}

impl Layers {
    /// As a worker's builder orders them.
    ///
    /// # Errors
    ///
    /// That its job cannot be encoded.
    pub fn new() -> anyhow::Result<Self> {
        let clock: SharedClock = Arc::new(SystemClock);
        let observer: SharedObserver = Arc::new(());
        let queue: SharedQueue = Arc::new(IdleQueue);
        let most = NonZeroU32::new(1_000_000).context("not 0")?;
        let publish = PublishLimits {
            rate: most,
            burst: most,
            timeout: Duration::from_secs(10),
            reserve: Duration::from_secs(1),
        };
        let timeout = Duration::from_secs(5);
        let complete = CompleteLayer::new(
            queue.clone(),
            clock.clone(),
            observer.clone(),
            Generator::from_seed(7),
            timeout,
        );
        let rate_limit = RateLimitLayer::new(clock.clone(), timeout)
            .follow(Scope::app())
            .follow(Scope::account());
        let stack = ServiceBuilder::new()
            .layer(AckLayer::new(clock, observer.clone(), timeout))
            .layer(complete)
            .layer(CatchPanicLayer)
            .layer(PublishLayer::new(
                Arc::new(IdleBus),
                observer.clone(),
                publish,
            ))
            .layer(rate_limit)
            .layer(TimeoutLayer::new(observer, timeout, timeout))
            .layer(AdaptLayer)
            .service(PollerService::new(poller_fn(poll)));
        Ok(Self {
            stack: BoxService::new(stack),
            queue,
            keeper: Keeper::new(),
            body: body()?,
        })
    }

    /// The job's message.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// A delivery as the worker's pump makes it.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        let message = Message {
            id: "1".to_owned(),
            body: self.body.clone(),
            receipt: Receipt("1".to_owned()),
            receive_count: 1,
            sent_ms: 0,
            trace: None,
        };
        Delivery::new(message, self.queue.clone(), LIFE, self.keeper.clone())
    }

    /// A job through all layers.
    ///
    /// # Errors
    ///
    /// That it was not completed.
    pub async fn call(&mut self, delivery: Delivery) -> anyhow::Result<()> {
        let result = self.stack.call(delivery).await;
        result.map_err(|error| anyhow::anyhow!(error))
    }

    /// The same job without them: decoded, polled, and its completion encoded.
    ///
    /// # Errors
    ///
    /// That its message or its completion is not one.
    pub async fn call_bare(&self) -> anyhow::Result<String> {
        let job: polling_model::Job = wire::decode_job(self.body.as_bytes())?;
        let (id, job_type, token) = (job.id.clone(), job.job_type.clone(), job.token);
        let polled = poller_fn(poll).poll(Job::new(job, 0)).await?;
        let completion = Completion {
            id,
            job_type,
            token,
            outcome: Outcome::Succeeded {
                context: polled.context,
                stopped: None,
            },
            allowances: polled.allowances,
            saturated: false,
            events: 0,
            created_ms: Vec::new(),
            calls: polled.calls,
            finished_ms: 0,
            sent_ms: None,
        };
        Ok(wire::encode_completion(&completion)?)
    }
}

fn body() -> anyhow::Result<String> {
    let now_ms = SystemClock.now_ms();
    let job: polling_model::Job<Context> = polling_model::Job {
        id: "posts:42".parse()?,
        channel: jobs::channel(),
        job_type: jobs::job_type(),
        account: "42".parse()?,
        level: "gold".parse()?,
        token: Token::from_wire("00000000000000a1.1.00000000000000b2").context("a token")?,
        due_ms: now_ms,
        not_after_ms: now_ms + LIFE.as_millis() as i64,
        context: jobs::context(),
    };
    Ok(wire::encode_job(&job)?)
}
