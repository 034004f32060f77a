//! What the page shows, looked up once for all who watch.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use polling_model::{ChannelId, chain};
use scheduler_lib::{Registry, store::Loads};
use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};

use super::{figures, holds::Holds, hour, ring, supply};
use crate::Web;

/// Most pages that are kept up to date at once.
pub(super) const MAX_STREAMS: usize = 32;

/// Age of figures that change all the time. A little less than the time between two looks of a stream.
const FIGURES_EVERY: Duration = Duration::from_millis(950);

/// Longest age of what is dearer to look up: a server that is asked for each queue may charge for it.
const REST_EVERY: Duration = Duration::from_millis(4_950);

/// The parts of a page, by name, as markup.
pub(super) type Parts = Vec<(&'static str, Arc<str>)>;

/// What was looked up of each channel, and who watches.
pub(crate) struct Looks {
    channels: BTreeMap<ChannelId, Look>,
    pub(in crate::console) streams: Arc<Semaphore>,
}

#[derive(Default)]
struct Look {
    figures: Shared<Arc<str>>,
    holds: Shared<Option<Holds>>,
    supply: Shared<Arc<str>>,
    ring: Shared<Ring>,
}

/// The ring, and what is made of it.
#[derive(Clone)]
struct Ring {
    loads: Result<Arc<Loads>, Arc<str>>,
    picture: Arc<str>,
    numbers: Arc<str>,
}

/// Something that is looked up once in a while, however many ask.
struct Shared<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Shared<T> {
    /// As it was looked up last, or as `look` finds it if that is too long ago.
    async fn get(&self, every: Duration, look: impl Future<Output = T>) -> T {
        let mut kept = self.0.lock().await;
        if let Some((at, found)) = &*kept
            && at.elapsed() < every
        {
            return found.clone();
        }
        let found = look.await;
        *kept = Some((Instant::now(), found.clone()));
        found
    }
}

impl Looks {
    pub(crate) fn new<'a>(channels: impl Iterator<Item = &'a ChannelId>) -> Self {
        Self {
            channels: channels.map(|id| (id.clone(), Look::default())).collect(),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
        }
    }

    /// All parts of a channel's page; of the ring those sixty slots closely, or the next.
    pub(super) async fn at(&self, web: &Web, registry: &Registry, near: Option<usize>) -> Parts {
        let Some(look) = self.channels.get(registry.channel()) else {
            return Parts::new();
        };
        let holds = look.holds.get(REST_EVERY, Holds::look(registry)).await;
        let figures = look
            .figures
            .get(FIGURES_EVERY, figures::look(web, registry, holds));
        let figures = figures.await;
        let recent = web.0.recent.as_ref();
        let lately = recent.map(|recent| recent.of(registry.channel()));
        let failures = supply::failures(lately.as_ref()).into_string().into();
        let ring = look.ring.get(ring_every(registry), look_at_ring(registry));
        let ring = ring.await;
        let supply = look.supply.get(REST_EVERY, supply::look(web, registry));
        let supply = supply.await;
        let hour = match &ring.loads {
            Ok(loads) => hour::closely(loads, registry.ring(), near)
                .into_string()
                .into(),
            Err(_) => Arc::from(""),
        };
        vec![
            ("figures", figures),
            ("ring", ring.picture),
            ("hour", hour),
            ("numbers", ring.numbers),
            ("failures", failures),
            ("supply", supply),
        ]
    }
}

/// A ring of short slots turns faster.
fn ring_every(registry: &Registry) -> Duration {
    let width = Duration::from_millis(registry.ring().width_ms().unsigned_abs());
    (width / 2).clamp(FIGURES_EVERY, REST_EVERY)
}

async fn look_at_ring(registry: &Registry) -> Ring {
    match registry.loads().await {
        Ok(loads) => Ring {
            picture: ring::picture(&loads, registry.ring()).into_string().into(),
            numbers: ring::numbers(&loads, registry.ring()).into_string().into(),
            loads: Ok(Arc::new(loads)),
        },
        Err(error) => {
            let said: Arc<str> = chain(&error).into();
            Ring {
                picture: figures::sorry(&said).into_string().into(),
                numbers: Arc::from(""),
                loads: Err(said),
            }
        }
    }
}
