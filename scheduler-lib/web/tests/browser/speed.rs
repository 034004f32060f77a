//! Many jobs make no page slow or large.

use polling_browser::Browser;
use polling_model::SlotRing;
use scheduler_lib::Limits;

use crate::site::{Site, job};

const JOBS: u32 = 100_000;

/// Loads of each page, of which the middle one counts.
const LOADS: usize = 5;

/// On loopback, unoptimized, while other tests run.
const FIRST_PAINT_MS: f64 = 1_000.0;

const TRANSFER_BYTES: u64 = 300_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a browser"]
async fn a_hundred_thousand_jobs_are_shown_within_a_second() {
    let site = Site::with(SlotRing::MINUTES, Limits::default()).await;
    for first in (0..JOBS).step_by(1_000) {
        let jobs = (first..first + 1_000).map(|number| job("posts", number));
        site.registry.register_all(jobs.collect()).await.unwrap();
    }
    let browser = Browser::start().unwrap();
    let page = site.operate(&browser).await;
    for name in ["now", "jobs", "accounts", "limits", "dead-letters"] {
        let mut paints = Vec::new();
        for _ in 0..LOADS {
            page.go(&site.url(&format!("channels/mastodon/{name}")))
                .await
                .unwrap();
            paints.push(page.paint().await.unwrap());
        }
        paints.sort_by(|one, other| one.first_ms.total_cmp(&other.first_ms));
        let median = paints[LOADS / 2];
        #[allow(clippy::print_stderr)]
        {
            eprintln!("{name}: {median:?}");
        }
        assert!(median.first_ms < FIRST_PAINT_MS, "{name}: {paints:?}");
        assert!(median.transfer_bytes < TRANSFER_BYTES, "{name}: {median:?}");
    }
}
