//! Dropping a future at one of its awaits.

use std::{future::poll_fn, pin::pin, task::Poll};

/// Drives `future` until it waits for the `awaits`-th time, from 0 on, and drops it there. True if
/// it ended before.
pub(super) async fn cut<F: Future>(future: F, awaits: usize) -> bool {
    let mut future = pin!(future);
    let mut left = awaits;
    poll_fn(|cx| {
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        Poll::Pending
    })
    .await
}
