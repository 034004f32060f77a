//! Jobs and messages that an operator moves, and a channel that stands still.

use std::time::Duration;

use polling_model::{Completion, Context, Job, wire};
use polling_transport::Queue;
use scheduler_lib::{
    HandedOver, QueueRole, RegistryError, SlotStore,
    store::{Hold, Place, Undecodable},
};
use tokio::time::sleep;

use crate::bench::{Bench, INTERVAL, answer, succeeded};

async fn received(bench: &Bench) -> Vec<String> {
    let waiting = Duration::from_secs(5);
    let messages = bench.work.receive(10, waiting).await.unwrap();
    let id = |body: &str| wire::decode_job::<Context>(body.as_bytes()).unwrap().id;
    let mut ids: Vec<_> = messages
        .iter()
        .map(|message| id(&message.body).to_string())
        .collect();
    ids.sort();
    ids
}

#[tokio::test(start_paused = true)]
async fn a_stopped_channel_polls_nothing_and_each_job_once_when_it_goes_on() {
    let mut bench = Bench::start();
    let id = bench.register("1").await;
    bench
        .registry
        .stop("the channel asked for it")
        .await
        .unwrap();
    bench.register("2").await;
    bench.registry.run_now(&id).await.unwrap();
    sleep(10 * INTERVAL).await;
    assert_eq!(received(&bench).await, [""; 0]);
    let stopped = bench.registry.stopped().await.unwrap();
    assert_eq!(stopped.as_deref(), Some("the channel asked for it"));
    let advice = bench.registry.explain(&id).await.unwrap().advice;
    assert!(
        advice[0].contains("stopped (the channel asked for it)"),
        "{advice:?}"
    );
    bench.registry.start().await.unwrap();
    sleep(INTERVAL).await;
    assert_eq!(received(&bench).await.len(), 2);
    assert_eq!(bench.registry.stopped().await.unwrap(), None);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn jobs_move_to_times_of_their_own_between_two() {
    let mut bench = Bench::start();
    let (from_ms, until_ms) = (
        bench.clock.now_ms() + 7_200_000,
        bench.clock.now_ms() + 10_800_000,
    );
    let mut due = Vec::new();
    for account in 0..20 {
        let id = bench.register(&account.to_string()).await;
        assert!(
            bench
                .registry
                .move_to(&id, from_ms, until_ms)
                .await
                .unwrap()
        );
        due.push(bench.registry.get(&id).await.unwrap().state.due_ms);
        bench.registry.pause(&id).await.unwrap();
        assert!(
            !bench
                .registry
                .move_to(&id, from_ms, until_ms)
                .await
                .unwrap()
        );
    }
    assert!(
        due.iter().all(|due| (from_ms..=until_ms).contains(due)),
        "{due:?}"
    );
    due.dedup();
    assert!(due.len() > 15, "{due:?}");
    bench.stop().await;
}

/// How far a command came that broke off.
#[derive(Debug, Clone, Copy)]
enum BrokeOff {
    No,
    Held,
    Imported,
}

#[tokio::test(start_paused = true)]
async fn a_job_moves_to_another_channel_and_is_in_one_only_wherever_it_broke_off() {
    for broke_off in [BrokeOff::No, BrokeOff::Held, BrokeOff::Imported] {
        let (mut from, mut to) = (Bench::start(), Bench::start());
        let id = from.register("1").await;
        let context = Context::from_iter([("since", 7.into())]);
        from.registry.replace_context(&id, &context).await.unwrap();
        let due_ms = from.registry.get(&id).await.unwrap().state.due_ms;
        let expected = match broke_off {
            BrokeOff::No => HandedOver::Moved,
            BrokeOff::Held => {
                let reason = format!("moving to channel {}", to.registry.channel());
                let held = from.store.hold(&id, Hold::Paused, &reason);
                held.await.unwrap();
                HandedOver::Moved
            }
            BrokeOff::Imported => {
                let moved = from.registry.hand_over(&id, &to.registry).await;
                assert_eq!(moved.unwrap(), HandedOver::Moved);
                from.register("1").await;
                HandedOver::Existing
            }
        };
        let moved = from.registry.hand_over(&id, &to.registry).await.unwrap();
        assert_eq!(moved, expected, "{broke_off:?}");
        let gone = from.registry.get(&id).await;
        assert!(
            matches!(gone, Err(RegistryError::Unknown { .. })),
            "{gone:?}"
        );
        let record = to.registry.get(&id).await.unwrap();
        assert_eq!(
            (record.state.place, record.state.due_ms),
            (Place::Slot, due_ms)
        );
        assert!(
            record.context.as_str().contains("\"since\":7"),
            "{record:?}"
        );
        sleep(2 * INTERVAL).await;
        assert_eq!(received(&from).await, [""; 0]);
        assert_eq!(received(&to).await, [id.to_string()]);
        from.stop().await;
        to.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_held_stays_held_in_the_other_channel_and_what_is_in_flight_stays() {
    let (mut from, mut to) = (Bench::start(), Bench::start());
    let (parked, flown) = (from.register("1").await, from.register("2").await);
    from.registry.park(&parked).await.unwrap();
    let moved = from
        .registry
        .hand_over(&parked, &to.registry)
        .await
        .unwrap();
    let place = to.registry.get(&parked).await.unwrap().state.place;
    assert_eq!(
        (moved, place),
        (HandedOver::Moved, Place::Held(Hold::Parked))
    );
    sleep(2 * INTERVAL).await;
    let moved = from.registry.hand_over(&flown, &to.registry).await.unwrap();
    assert_eq!(moved, HandedOver::InFlight);
    // Once it is settled, it goes with what it brought.
    let message = from
        .work
        .receive(1, Duration::from_secs(5))
        .await
        .unwrap()
        .remove(0);
    let job: Job = wire::decode_job(message.body.as_bytes()).unwrap();
    let brought = Context::from_iter([("since", 9.into())]);
    let told: Completion<Context> = answer(&job, succeeded(brought));
    let body = wire::encode_completion(&told).unwrap();
    assert_eq!(from.completed.send(vec![body]).await, [Ok(())]);
    sleep(Duration::from_secs(10)).await;
    let moved = from.registry.hand_over(&flown, &to.registry).await.unwrap();
    assert_eq!(moved, HandedOver::Moved);
    let context = to.registry.get(&flown).await.unwrap().context;
    assert!(context.as_str().contains("\"since\":9"), "{context:?}");
    from.stop().await;
    to.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_nobody_could_read_is_sent_again_or_forgotten() {
    let mut bench = Bench::start();
    for number in 0..2 {
        let message = Undecodable {
            message_id: format!("m-{number}"),
            kept_ms: 0,
            error: "no JSON".to_owned(),
            body: "noise".to_owned(),
        };
        bench.store.keep_undecodable(message).await.unwrap();
    }
    let unknown = QueueRole::Work("nothing".parse().unwrap());
    let refused = bench.registry.redrive_undecodable("m-0", &unknown).await;
    assert!(
        matches!(refused, Err(RegistryError::UnknownJobType { .. })),
        "{refused:?}"
    );
    let work = QueueRole::Work("posts".parse().unwrap());
    bench
        .registry
        .redrive_undecodable("m-0", &work)
        .await
        .unwrap();
    let waiting = Duration::from_secs(5);
    let message = bench.work.receive(1, waiting).await.unwrap().remove(0);
    assert_eq!(message.body, "noise");
    bench.registry.forget_undecodable("m-1").await.unwrap();
    for id in ["m-0", "m-1"] {
        let gone = bench.registry.forget_undecodable(id).await;
        assert!(
            matches!(gone, Err(RegistryError::UnknownMessage { .. })),
            "{gone:?}"
        );
    }
    bench.stop().await;
}
