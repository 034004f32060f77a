use std::{future::pending, sync::Mutex, time::Duration};

use polling_model::Observation;
use tokio::time::{sleep, timeout};

use super::*;

type Told = Arc<Mutex<Vec<(String, Option<&'static str>, Duration)>>>;

fn telling() -> (Told, SharedObserver) {
    let told = Told::default();
    let tell = Arc::clone(&told);
    let observer = move |observation: Observation<'_>| {
        if let Observation::Called {
            port,
            name,
            operation,
            error,
            elapsed,
        } = observation
        {
            let call = format!("{port} {name} {operation}");
            tell.lock().unwrap().push((call, error, elapsed));
        }
    };
    (told, Arc::new(observer))
}

#[tokio::test(start_paused = true)]
async fn each_call_is_told_with_its_time_and_its_end() {
    let (told, observer) = telling();
    let list = Monitored::new(vec![1, 2], "list", observer);
    let second = Duration::from_secs(1);
    let slow = async {
        sleep(second).await;
        Ok::<_, ()>(())
    };
    list.call("sleep", slow).await.unwrap();
    let given_up = timeout(second, list.call("hang", pending::<Result<(), ()>>()));
    given_up.await.unwrap_err();
    list.call_sync("get", |list| list.get(9).ok_or(()))
        .unwrap_err();
    let word = |found: &Option<&i32>| found.is_none().then_some("missing");
    list.call_with("find", async { list.get(9) }, word).await;
    let expected = [
        ("client list sleep".to_owned(), None, second),
        ("client list hang".to_owned(), Some("cancelled"), second),
        ("client list get".to_owned(), Some("error"), Duration::ZERO),
        (
            "client list find".to_owned(),
            Some("missing"),
            Duration::ZERO,
        ),
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test]
async fn all_that_the_client_can_do_stays_in_reach() {
    let (told, observer) = telling();
    let mut shelf = Monitored::new((vec!["b", "a"], 3), "shelf", observer);
    shelf.0.push("c");
    shelf.0.sort_unstable();
    shelf.1 += 1;
    assert_eq!((shelf.0.len(), shelf.1), (3, 4));
    let take = async |shelf: &mut (Vec<_>, _)| shelf.0.pop().ok_or(());
    assert_eq!(shelf.call_mut("take", take).await, Ok("c"));
    let books = shelf.child("books", |shelf| shelf.0.clone());
    books.call("read", async { Ok::<_, ()>(()) }).await.unwrap();
    assert_eq!(books.into_inner(), ["a", "b"]);
    assert_eq!(told.lock().unwrap()[1].0, "client shelf.books read");
    assert!(
        !format!("{shelf:?}").contains("\"a\""),
        "what it holds may be secret"
    );
}
