use polling_core::{Job, PollError, PublishError, catch_panic::CatchPanicLayer, error::BugKind};
use tower::{Layer, Service, service_fn};

use crate::support::job;

fn is_panic(result: Result<(), PublishError>) -> bool {
    matches!(result, Err(PublishError::Bug(bug)) if bug.kind() == BugKind::Panic)
}

#[tokio::test]
async fn a_panic_within_the_future_becomes_an_error_and_the_next_call_works() {
    let mut first = true;
    let mut caught = CatchPanicLayer.layer(service_fn(move |_: Job| {
        let panics = std::mem::take(&mut first);
        async move {
            tokio::task::yield_now().await;
            assert!(!panics, "on purpose");
            Ok::<_, PollError>(())
        }
    }));
    assert!(is_panic(caught.call(job()).await));
    assert!(caught.call(job()).await.is_ok());
}

#[tokio::test]
async fn a_panic_within_the_call_becomes_an_error() {
    let mut caught = CatchPanicLayer.layer(service_fn(
        |_: Job| -> std::future::Ready<Result<(), PollError>> { panic!("on purpose") },
    ));
    assert!(is_panic(caught.call(job()).await));
}

#[tokio::test]
async fn an_api_error_passes_through() {
    let mut caught = CatchPanicLayer.layer(service_fn(|_: Job| async {
        Err::<(), _>(PollError::gone("no such account"))
    }));
    assert!(matches!(
        caught.call(job()).await,
        Err(PublishError::Poll(_))
    ));
}
