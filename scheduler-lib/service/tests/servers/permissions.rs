//! The Redis users that `add-channel` prints: each right is enough, and none too many.

use std::{sync::Arc, time::Duration};

use polling_model::{ChannelId, Clock, SystemClock};
use polling_transport::{Queue, redis as queues};
use scheduler::{
    adding::{Permissions, Place},
    config::Config,
};
use scheduler_lib::{
    ledger::{Claim, Cushion, Ledger, Limit, RedisLedger, Request},
    store::{
        RedisStore, SharedStore,
        conformance::{START_MS, holding, keeping, noting, reaping, settling},
    },
};

use crate::own_server::OwnServer;

/// What a user is allowed, as it is printed.
fn printed(transport: &str) -> Permissions {
    let text = format!(
        "[channels.mastodon]\nredis = \"redis://h/\"\n[channels.mastodon.queues]\ntransport = \"{transport}\"\n\
         [channels.mastodon.job_types.posts]\ninterval = \"5m\"\n"
    );
    let config = Config::parse("s.toml", &text, []).unwrap();
    let (id, channel) = config.channels.first_key_value().unwrap();
    let place = Place {
        region: "*".to_owned(),
        account: "*".to_owned(),
    };
    Permissions::of(id, channel, &place, None)
}

fn mastodon() -> ChannelId {
    "mastodon".parse().unwrap()
}

/// A new server on which the user has these rules.
async fn server(user: &str, rules: &[String]) -> (OwnServer, String) {
    let server = OwnServer::start(&[]).await;
    let line = format!("ACL SETUSER {user} on >PASSWORD {}", rules.join(" "));
    let () = server.command(&line).await;
    let url = format!("redis://{user}:PASSWORD@127.0.0.1:{}/", server.port());
    (server, url)
}

/// What the scheduler does with its store and its ledger; panics where a right is missing.
async fn use_store(url: &str) {
    let builder = RedisStore::builder(url, mastodon()).max_skew(None);
    let store: SharedStore = Arc::new(builder.open(START_MS).await.unwrap());
    store.check().await.unwrap();
    keeping::an_undecodable_message_is_found_and_forgotten(Arc::clone(&store)).await;
    noting::an_open_note_is_claimed_once(Arc::clone(&store)).await;
    let link = polling_transport::redis::link::Link::new(url, &Default::default()).unwrap();
    // As the doctor looks, and as a clock is compared.
    let _: String = link.query(&redis::cmd("INFO")).await.unwrap();
    let _: (i64, i64) = link.query(&redis::cmd("TIME")).await.unwrap();
    let ledger = RedisLedger::builder(url, mastodon()).build().unwrap();
    let request = Request {
        claims: vec![Claim {
            scope: "app".parse().unwrap(),
            cushion: Cushion::Calls(0),
            limit: Some(Limit {
                calls: 7,
                window_ms: 86_400_000,
            }),
        }],
        worths: vec![1.0; 10],
        cost: 1,
        fill: false,
        turn_ms: 0,
    };
    let granted = ledger.reserve(&[request], SystemClock.now_ms()).await;
    assert_eq!(granted.unwrap()[0].calls, 7);
    let scopes = ["app".parse().unwrap()];
    ledger
        .standing(&scopes, SystemClock.now_ms())
        .await
        .unwrap();
}

/// Each case on a server of its own, since a case takes an empty store.
async fn use_whole_store(user: &str, rules: &[String]) {
    macro_rules! cases {
        ($($case:path),* $(,)?) => {$({
            let (_server, url) = server(user, rules).await;
            let builder = RedisStore::builder(url, mastodon()).max_skew(None);
            $case(Arc::new(builder.shards(3).open(START_MS).await.unwrap())).await;
        })*};
    }
    cases!(
        holding::a_paused_job_is_not_drained,
        holding::a_job_that_waits_is_moved_to_any_time,
        holding::a_stopped_channel_drains_nothing_until_it_goes_on,
        keeping::a_healthy_store_needs_no_repair,
        keeping::all_jobs_are_listed_in_pages,
        keeping::bursts_are_kept_newest_first_and_bounded,
        noting::a_claim_returns_only_jobs_in_flight_under_the_note,
        reaping::reaping_is_bounded,
        settling::a_completion_is_accepted_once,
    );
}

/// What anybody does with a queue that exists.
async fn use_queue(server: &OwnServer, url: &str) {
    // The operator creates queues.
    let operator = queues::Client::builder(server.url(), "mastodon")
        .build()
        .unwrap();
    let minute = Duration::from_secs(60);
    for spec in [
        queues::QueueSpec::new("dead", minute),
        queues::QueueSpec::new("posts", minute).dead_letter("dead", 3),
    ] {
        queues::create_queue(&operator, &spec).await.unwrap();
    }
    let client = queues::Client::builder(url, "mastodon").build().unwrap();
    let queue = queues::RedisQueue::connect(&client, "posts").await.unwrap();
    for sent in queue.send(vec!["a".to_owned(), "b".to_owned()]).await {
        sent.unwrap();
    }
    let wait = Duration::from_secs(2);
    let messages = queue.receive(2, wait).await.unwrap();
    assert_eq!(messages.len(), 2);
    for message in &messages {
        queue.extend(&message.receipt, minute).await.unwrap();
        queue.ack(&message.receipt).await.unwrap();
    }
    assert_eq!(queue.stats().await.unwrap().visible, 0);
}

/// Without any one of its rules the use fails.
async fn none_too_many(user: &'static str, rules: &[String], both: bool) {
    let enough = tried(user, rules.to_vec(), both).await;
    assert!(enough, "{rules:?} are not enough");
    let mut too_many = Vec::new();
    for at in 0..rules.len() {
        let mut fewer = rules.to_vec();
        let left_out = fewer.remove(at);
        if tried(user, fewer, both).await {
            too_many.push(left_out);
        }
    }
    assert!(too_many.is_empty(), "{user} does not need {too_many:?}");
}

async fn tried(user: &'static str, rules: Vec<String>, store: bool) -> bool {
    let queues =
        rules.iter().any(|rule| rule.contains(":queue:")) || rules.contains(&"+@stream".to_owned());
    let used = tokio::spawn(async move {
        let (server, url) = server(user, &rules).await;
        if store {
            use_store(&url).await;
            use_whole_store(user, &rules).await;
        }
        if queues {
            use_queue(&server, &url).await;
        }
    });
    used.await.is_ok()
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn the_schedulers_user_is_allowed_what_its_store_needs_and_nothing_else() {
    let permissions = printed("sqs");
    let [acl] = &permissions.scheduler.redis[..] else {
        panic!("{permissions:?}");
    };
    assert!(permissions.worker.redis.is_empty());
    none_too_many(acl.user, &acl.rules, true).await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_workers_user_is_allowed_what_its_queues_need_and_nothing_else() {
    let permissions = printed("redis");
    let [acl] = &permissions.worker.redis[..] else {
        panic!("{permissions:?}");
    };
    none_too_many(acl.user, &acl.rules, false).await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_scheduler_with_queues_on_redis_is_allowed_both() {
    let permissions = printed("redis");
    let [acl] = &permissions.scheduler.redis[..] else {
        panic!("{permissions:?}");
    };
    assert!(tried(acl.user, acl.rules.clone(), true).await);
}
