//! What `--check` and `create-queues` say of queues that are not as configured.

use crate::service::{Setup, Transport, variable};

#[test]
#[ignore = "needs dev/services"]
fn queues_are_held_against_the_configuration() {
    let setup = Setup::new(&variable("POLLING_REDIS_URL"));
    let queue = format!("polling-{}-posts", setup.channel);
    let (code, told) = setup.told_with(&["--check"], "DEFAULT_LEVEL", "gold");
    assert!(
        code == Some(0) && told.ends_with("ok: the scheduler can start\n"),
        "{told}"
    );

    let (code, told) = setup.told_with(&["--check"], "LIMITS__MAX_RECEIVES", "2");
    let problem = format!(
        "  problem: queue {queue} allows 3 receives, limits.max_receives is 2: a message would outlive its job's time in flight; make them equal\n"
    );
    assert!(code == Some(1) && told.contains(&problem), "{told}");

    let (code, told) = setup.told_with(&["create-queues"], "QUEUES__VISIBILITY_TIMEOUT", "31s");
    assert!(
        code == Some(1) && told.contains("VisibilityTimeout is 30, wanted 31"),
        "{told}"
    );

    let (code, told) = setup.told_with(&["--check"], "SLOT_WIDTH", "2s");
    assert!(
        code == Some(1) && told.contains("has slots of 1000 ms, not 2000 ms"),
        "{told}"
    );
}

#[test]
#[ignore = "needs dev/services"]
fn queues_on_redis_are_held_against_the_configuration_too() {
    let setup = Setup::on(&variable("POLLING_REDIS_URL"), Transport::Redis);
    let queue = format!("polling-{}-posts", setup.channel);
    let dead_letter = format!("polling-{}-dead-letter", setup.channel);
    let (code, told) = setup.told_with(&["--check"], "DEFAULT_LEVEL", "gold");
    let redrive = format!("visibility 30s; to {dead_letter} after 3 receives");
    assert!(code == Some(0) && told.contains(&redrive), "{told}");

    let (code, told) = setup.told_with(&["--check"], "LIMITS__MAX_RECEIVES", "2");
    let problem = format!("  problem: queue {queue} allows 3 receives, limits.max_receives is 2");
    assert!(code == Some(1) && told.contains(&problem), "{told}");
    let mend = "     mend: set its maxReceiveCount to 2, or limits.max_receives to 3\n";
    assert!(told.contains(mend), "{told}");

    let (code, told) = setup.told_with(&["create-queues"], "QUEUES__VISIBILITY_TIMEOUT", "31s");
    let differs = "visibility_timeout is 30000 ms, wanted 31000 ms";
    assert!(code == Some(1) && told.contains(differs), "{told}");

    let (code, told) = setup.told_with(&["--check"], "QUEUES__COMPLETED", "missing");
    let missing = "connect on queue missing failed: the queue does not exist; create it first";
    assert!(code == Some(1) && told.contains(missing), "{told}");
    let mend = "  to mend completed: create it with `scheduler create-queues`";
    assert!(told.contains(mend), "{told}");
}
