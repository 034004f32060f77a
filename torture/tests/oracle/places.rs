//! Each job in exactly one place, and where its record says.

use std::env;

use polling_model::Generator;
use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use torture::oracle::places::{Look, Places};

/// A store that was written by hand, with a job in each kind of place.
struct Forged {
    url: String,
    prefix: String,
    redis: MultiplexedConnection,
}

/// Due in the fifth slot of 1 s; its lease ends in the ninth.
fn record(place: char) -> String {
    let head = format!("{place} 5000 9000 1 - one 0 posts 1 default - - registered");
    format!("{} {head}{{}}", head.len())
}

impl Forged {
    async fn new() -> Self {
        let url = env::var("POLLING_REDIS_URL").expect("is set: eval \"$(dev/services env)\"");
        let client = redis::Client::open(url.as_str()).unwrap();
        let redis = client.get_multiplexed_async_connection().await.unwrap();
        let prefix = format!("forged:{{{:016x}}}:", Generator::from_os().next_u64());
        let mut store = Self { url, prefix, redis };
        let layout = store.key("layout");
        let _: () = store.redis.hset(layout, "width_ms", 1_000).await.unwrap();
        let leases = store.key("leases");
        let _: () = store.redis.zadd(leases, "9", 9_000).await.unwrap();
        for (id, place, index) in [
            ("slot", 's', "slot:5"),
            ("flight", 'f', "lease:9"),
            ("held", 'q', "held"),
        ] {
            store.register(id, place).await;
            store.enter(index, id).await;
        }
        store.register("later", 'l').await;
        let later = store.key("later");
        let _: () = store.redis.zadd(later, "later", 5_000).await.unwrap();
        store
    }

    fn key(&self, rest: &str) -> String {
        format!("{}{rest}", self.prefix)
    }

    async fn register(&mut self, id: &str, place: char) {
        let jobs = self.key("jobs:3");
        let _: () = self.redis.hset(jobs, id, record(place)).await.unwrap();
    }

    async fn enter(&mut self, index: &str, id: &str) {
        let key = self.key(index);
        let _: () = match index.starts_with("slot:") {
            true => self.redis.rpush(key, id).await.unwrap(),
            false => self.redis.sadd(key, id).await.unwrap(),
        };
    }

    async fn leave(&mut self, index: &str, id: &str) {
        let key = self.key(index);
        let _: () = match index.starts_with("slot:") {
            true => self.redis.lrem(key, 0, id).await.unwrap(),
            false => self.redis.srem(key, id).await.unwrap(),
        };
    }

    async fn look(&self) -> Look {
        let mut places = Places::new(&self.url, self.prefix.clone()).unwrap();
        places.look().await.unwrap()
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_store_whose_jobs_are_where_they_should_be_is_whole() {
    let look = Forged::new().await.look().await;
    assert_eq!(look.violations, [""; 0]);
    let counts = (look.registered, look.slots, look.in_flight, look.later);
    assert_eq!((counts, look.held), ((4, 1, 1, 1), 1));
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_job_in_no_place_is_lost() {
    let mut store = Forged::new().await;
    store.leave("lease:9", "flight").await;
    let found = store.look().await.violations;
    assert!(
        found[0].starts_with("flight is lost: in no place"),
        "{found:?}"
    );
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_job_in_two_places_is_told() {
    let mut store = Forged::new().await;
    store.enter("held", "slot").await;
    let found = store.look().await.violations;
    assert_eq!(found[0], "slot is in held and in slot:5");
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_job_that_is_not_where_its_record_says_is_told() {
    let mut store = Forged::new().await;
    store.leave("lease:9", "flight").await;
    store.enter("held", "flight").await;
    let found = store.look().await.violations;
    assert_eq!(found, ["flight is in held, its record says lease:9"]);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn entries_of_a_list_count_only_where_the_record_says() {
    let mut store = Forged::new().await;
    for index in ["slot:5", "slot:7"] {
        store.enter(index, "slot").await;
        store.enter(index, "held").await;
        store.enter(index, "ghost").await;
    }
    let look = store.look().await;
    assert_eq!((look.violations, look.slots), (Vec::new(), 1));
    store.leave("slot:5", "slot").await;
    let found = store.look().await.violations;
    assert!(
        found[0].starts_with("slot is lost: in no place"),
        "{found:?}"
    );
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn an_entry_without_a_record_is_told() {
    let mut store = Forged::new().await;
    store.enter("held", "ghost").await;
    let found = store.look().await.violations;
    assert_eq!(found, ["ghost is in held and not registered"]);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_store_that_is_gone_is_told() {
    let mut store = Forged::new().await;
    let layout = store.key("layout");
    let _: () = store.redis.del(layout).await.unwrap();
    assert_eq!(store.look().await.violations, ["the layout key is gone"]);
}
