//! The page, kept up to date: server-sent events, each with a part of it that has changed.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::Query,
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream::{self, StreamExt};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Interval, MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    Near,
    look::{MAX_STREAMS, Parts},
};
use crate::{
    console::{Sorry, frame::Frame},
    serve::Connection,
};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// A stream ends after so long; the browser asks again, and with it whether its session still lasts.
const LIFE: Duration = Duration::from_secs(600);

/// Somebody who watches.
struct Watcher {
    frame: Frame,
    near: Option<usize>,
    ticks: Interval,
    /// What they see.
    sent: Parts,
    _permit: OwnedSemaphorePermit,
}

/// `GET /console/channels/{channel}/now/live?part=`: an event for each part that has changed, called like it.
pub(in crate::console) async fn stream(
    frame: Frame,
    Query(near): Query<Near>,
    connection: Option<Extension<Connection>>,
) -> Result<Response, Sorry> {
    let near = near.checked()?;
    frame.registry()?;
    let streams = Arc::clone(&frame.web.0.looks.streams);
    let permit = streams.try_acquire_owned().map_err(|_| {
        let said = format!("as many pages as allowed are kept up to date ({MAX_STREAMS})");
        Sorry::new(StatusCode::SERVICE_UNAVAILABLE, said)
    })?;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watcher = Watcher {
        frame,
        near,
        ticks,
        sent: Parts::new(),
        _permit: permit,
    };
    let stop = connection.map_or_else(CancellationToken::new, |Extension(about)| about.stop);
    let over = async move {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = sleep(LIFE) => {}
        }
    };
    let events = stream::unfold(watcher, |mut watcher| async move {
        let events = watcher.next().await?;
        Some((stream::iter(events), watcher))
    });
    let events = events.flatten().take_until(Box::pin(over));
    Ok(Sse::new(events).into_response())
}

impl Watcher {
    /// What has changed since the last look.
    async fn next(&mut self) -> Option<Vec<Result<Event, Infallible>>> {
        self.ticks.tick().await;
        let web = &self.frame.web;
        let (_, registry) = self.frame.registry().ok()?;
        let parts = web.0.looks.at(web, registry, self.near).await;
        let is_new = |part: &&(&'static str, Arc<str>)| !self.sent.contains(*part);
        let event = |(name, text): &(&'static str, Arc<str>)| {
            Ok(Event::default().event(*name).data(&**text))
        };
        let events = parts.iter().filter(is_new).map(event).collect();
        self.sent = parts;
        Some(events)
    }
}
