//! Counts what is allocated for one job; each figure is a line of JSON. The same in every run.

use std::io::{Write, stdout};

use allocation_counter::{AllocationInfo, measure};
use anyhow::Context as _;
use benches::{figure::Figure, layers::Layers, metering, policy::Decision};
use polling_model::{Context, wire};

/// Before it is counted: what is allocated once is there then.
const WARM_UP: usize = 100;

fn main() -> anyhow::Result<()> {
    for figure in counted()? {
        writeln!(stdout().lock(), "{figure}").context("cannot print")?;
    }
    Ok(())
}

fn counted() -> anyhow::Result<Vec<Figure>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let mut layers = Layers::new()?;
    // Its keeper is at work before it is counted, and ends before the next.
    let deliver = async |layers: &Layers| {
        let delivery = layers.delivery();
        tokio::task::yield_now().await;
        delivery
    };
    for _ in 0..WARM_UP {
        let delivery = runtime.block_on(deliver(&layers));
        runtime.block_on(layers.call(delivery))?;
    }
    let delivery = runtime.block_on(deliver(&layers));
    let (mut called, mut called_bare) = (None, None);
    let all = measure(|| called = Some(runtime.block_on(layers.call(delivery))));
    let bare = measure(|| called_bare = Some(runtime.block_on(layers.call_bare())));
    called.context("nothing was called")??;
    called_bare.context("nothing was called")??;
    let decision = Decision::new()?;
    let decided = measure(|| drop(decision.decide()));
    let job: polling_model::Job = wire::decode_job(layers.body().as_bytes())?;
    let encoded = measure(|| drop(wire::encode_job(&job)));
    let decoded = measure(|| drop(wire::decode_job::<Context>(layers.body().as_bytes())));
    let told = metering::pairs().into_iter().map(|pair| {
        let [bare, wrapped] = [pair.bare, pair.wrapped].map(|calls| {
            runtime.block_on(calls(WARM_UP));
            measure(|| runtime.block_on(calls(WARM_UP))).count_total
        });
        (wrapped - bare) as f64 / WARM_UP as f64
    });
    let told = Figure::new(
        "allocations/metering",
        told.fold(0.0, f64::max),
        "allocations",
    );
    Ok(vec![
        figure("allocations/layers", all),
        figure("allocations/bare", bare),
        figure("allocations/policy", decided),
        figure("allocations/encode", encoded),
        figure("allocations/decode", decoded),
        told,
    ])
}

fn figure(name: &str, info: AllocationInfo) -> Figure {
    Figure::new(name, info.count_total as f64, "allocations").with("bytes", info.bytes_total)
}
