//! `measure small`.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use benches::{
    figure::Figure,
    layers::Layers,
    metering::{self, Pair},
    policy::Decision,
};
use clap::Args;
use polling_core::Delivery;

/// Between two looks at the clock.
const BATCH: usize = 1_000;

#[derive(Debug, Args)]
pub(super) struct Small {
    /// How often each is measured; the best half counts.
    #[arg(long, default_value_t = 500)]
    batches: usize,
}

impl Small {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let figures = runtime.block_on(async {
            let mut layers = Layers::new()?;
            let (mut all, mut bare) = (Vec::new(), Vec::new());
            for _ in 0..self.batches {
                all.push(through_layers(&mut layers).await?);
                bare.push(without(&layers).await?);
            }
            anyhow::Ok((ns_each(all), ns_each(bare)))
        });
        let (all_ns, bare_ns) = figures?;
        let decision = Decision::new()?;
        let decisions = (0..self.batches).map(|_| {
            let began = Instant::now();
            for _ in 0..BATCH {
                black_box(black_box(&decision).decide());
            }
            began.elapsed()
        });
        let decision_ns = ns_each(decisions.collect());
        let told = metering::pairs().into_iter();
        let told = told.map(|pair| runtime.block_on(self.metered(&pair)));
        let told: Vec<_> = told.collect();
        super::print_all(&[
            Figure::new("layers/overhead", (all_ns - bare_ns) / 1000.0, "µs")
                .with("all_layers_ns", all_ns)
                .with("bare_ns", bare_ns),
            Figure::new("policy", 1e9 / decision_ns, "decisions/s").with("ns", decision_ns),
            metering_figure(&told),
        ])
    }

    /// Nanoseconds that are added to each call, in turns with the bare ones.
    async fn metered(&self, pair: &Pair) -> (&'static str, f64) {
        let (mut bare, mut wrapped) = (Vec::new(), Vec::new());
        for _ in 0..self.batches {
            for (calls, batches) in [(&pair.bare, &mut bare), (&pair.wrapped, &mut wrapped)] {
                let began = Instant::now();
                calls(BATCH).await;
                batches.push(began.elapsed());
            }
        }
        (pair.name, ns_each(wrapped) - ns_each(bare))
    }
}

/// The dearest of them, and each.
fn metering_figure(told: &[(&str, f64)]) -> Figure {
    let dearest_ns = told.iter().map(|(_, ns)| *ns).fold(0.0, f64::max);
    let figure = Figure::new("metering", dearest_ns, "ns");
    (told.iter()).fold(figure, |figure, (name, ns)| figure.with(name, *ns))
}

/// Nanoseconds of one, in the mean of the faster half: the other half was disturbed.
fn ns_each(mut batches: Vec<Duration>) -> f64 {
    batches.sort_unstable();
    let half = &batches[..batches.len().div_ceil(2)];
    let sum: Duration = half.iter().sum();
    sum.as_secs_f64() * 1e9 / (half.len() * BATCH) as f64
}

async fn through_layers(layers: &mut Layers) -> anyhow::Result<Duration> {
    let deliveries: Vec<Delivery> = (0..BATCH).map(|_| layers.delivery()).collect();
    let began = Instant::now();
    for delivery in deliveries {
        layers.call(delivery).await?;
    }
    let took = began.elapsed();
    // The keepers of the messages end.
    tokio::task::yield_now().await;
    Ok(took)
}

async fn without(layers: &Layers) -> anyhow::Result<Duration> {
    let began = Instant::now();
    for _ in 0..BATCH {
        black_box(layers.call_bare().await?);
    }
    Ok(began.elapsed())
}
