//! What a job's story reads like, in situations that really came about.
#![allow(clippy::unwrap_used)]

mod stage;

use std::time::Duration;

use polling_model::{ErrorClass, Failure, JobId};
use scheduler_lib::{
    ledger::Cushion,
    policy::{Adaptive, JobTypeRules, LevelRules, LimitRule, Override, ScopeRule},
    store::{Hold, Place},
};

use crate::stage::{Stage, pass};

fn rules() -> JobTypeRules {
    JobTypeRules::every(Duration::from_secs(300))
}

/// With a limit of the whole app, and a part of it left to others.
fn limited(calls: u64, minutes: u64, cushion: u64) -> JobTypeRules {
    let limit = LimitRule {
        calls,
        window: Duration::from_secs(minutes * 60),
    };
    let app = ScopeRule {
        scope: "app".parse().unwrap(),
        cushion: None,
        limit: Some(limit),
    };
    JobTypeRules {
        scopes: vec![app],
        cushion: Cushion::Calls(cushion),
        ..rules()
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_job_waits_for_its_interval() {
    let stage = Stage::new(rules());
    let id = stage.register("42").await;
    stage.poll_for(30).await;
    pass(90).await;
    stage.tells(&id, "01-healthy").await;
}

#[tokio::test(start_paused = true)]
async fn at_its_cushion_a_job_waits_for_the_next_window() {
    let stage = Stage::new(limited(300, 15, 50));
    let id = stage.register("42").await;
    let job = stage.take().await;
    let mut completion = stage.succeeded(&job);
    completion.allowances = vec![stage.left_of_app(50, 9)];
    stage.answer(completion).await;
    pass(60).await;
    stage.tells(&id, "02-cushion-reached").await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_job_waits_as_long_as_the_channel_asked() {
    let stage = Stage::new(limited(300, 15, 0));
    let id = stage.register("42").await;
    stage.poll_for(15).await;
    let job = stage.take().await;
    let refused = Failure {
        retry_after_ms: Some(10 * 60_000),
        ..Failure::new(ErrorClass::RateLimited, "429 Too Many Requests")
    };
    stage.answer(stage.failed(&job, refused)).await;
    pass(30).await;
    stage.tells(&id, "03-channel-refuses").await;
}

#[tokio::test(start_paused = true)]
async fn when_calls_are_scarce_intervals_are_stretched() {
    let mut rules = limited(60, 15, 0);
    let gold = LevelRules {
        weight: 4.0,
        ..LevelRules::default()
    };
    rules.levels.insert("gold".parse().unwrap(), gold);
    let stage = Stage::new(rules);
    let mut ids = vec![stage.register_at("boss", "gold").await];
    for account in 0..40 {
        ids.push(stage.register(&account.to_string()).await);
    }
    stage.poll_for(240).await;
    let id = first_with(&stage, &ids[1..], "stretched").await;
    stage.tells(&id, "04-calls-are-scarce").await;
    stage.tells(&ids[0], "04-calls-are-scarce-gold").await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_account_is_polled_when_it_is_worth_it() {
    let stage = Stage::new(JobTypeRules {
        adaptive: Some(Adaptive::default()),
        max_age: Some(Duration::from_secs(3600)),
        ..limited(30, 15, 0)
    });
    let mut ids = Vec::new();
    for account in 0..40 {
        ids.push(stage.register(&account.to_string()).await);
    }
    let busy = ids[3].clone();
    stage.poll_for_items(242, &busy, 60_000).await;
    stage.tells(&busy, "05-adaptive-busy").await;
}

#[tokio::test(start_paused = true)]
async fn after_errors_a_job_backs_off() {
    let stage = Stage::new(rules());
    let id = stage.register("42").await;
    for _ in 0..4 {
        let job = stage.take().await;
        let failure = Failure::new(ErrorClass::Transient, "503 Service Unavailable");
        stage.answer(stage.failed(&job, failure)).await;
    }
    stage.tells(&id, "06-backing-off").await;
}

#[tokio::test(start_paused = true)]
async fn a_job_in_flight_tells_since_when_and_until_when() {
    let stage = Stage::new(rules());
    let id = stage.register("42").await;
    stage.poll_for(10).await;
    stage.take().await;
    pass(45).await;
    stage.tells(&id, "07-in-flight").await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_no_worker_finishes_is_in_quarantine() {
    let stage = Stage::new(rules());
    let id = stage.register("42").await;
    let quarantined = async {
        while stage.registry.get(&id).await.unwrap().state.place != Place::Held(Hold::Quarantined) {
            pass(10).await;
        }
    };
    tokio::select! {
        biased;
        () = quarantined => {}
        () = stage.crash_for_ever() => {}
    }
    stage.tells(&id, "08-quarantined").await;
}

#[tokio::test(start_paused = true)]
async fn a_job_paused_while_it_is_polled_says_both() {
    let stage = Stage::new(rules());
    let id = stage.register("42").await;
    stage.poll_for(10).await;
    stage.take().await;
    assert_eq!(stage.registry.pause(&id).await.ok(), Some(true));
    pass(20).await;
    stage.tells(&id, "09-paused-in-flight").await;
}

#[tokio::test(start_paused = true)]
async fn a_job_without_a_queue_is_held() {
    let stage = Stage::new(rules());
    let id = stage.register_likes("42").await;
    pass(120).await;
    stage.tells(&id, "10-no-queue").await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_finds_its_turns_calls_spent_takes_a_later_turn() {
    let stage = Stage::new(limited(60, 15, 0));
    let mut ids = Vec::new();
    for account in 0..120 {
        ids.push(stage.register(&account.to_string()).await);
    }
    stage.poll_for(2).await;
    let id = first_with(&stage, &ids, "others had them").await;
    stage.tells(&id, "11-turn-is-spent").await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_could_not_fetch_all_comes_again_at_once() {
    let stage = Stage::new(rules());
    let id = stage.register("42").await;
    stage.poll_for(10).await;
    let job = stage.take().await;
    let mut completion = stage.succeeded(&job);
    (completion.saturated, completion.events) = (true, 500);
    stage.answer(completion).await;
    stage.tells(&id, "12-saturated").await;
}

#[tokio::test(start_paused = true)]
async fn a_pinned_job_says_so() {
    let stage = Stage::new(limited(60, 15, 0));
    let id = stage.register("42").await;
    let interval = Duration::from_secs(120);
    stage.decide(&id, Override::Pin { interval }).await;
    stage.poll_for(10).await;
    stage.tells(&id, "13-pinned").await;
}

#[tokio::test(start_paused = true)]
async fn a_boosted_job_says_how_much_and_until_when() {
    let stage = Stage::new(limited(60, 15, 0));
    let id = stage.register("42").await;
    let until_ms = stage.clock.now_ms() + 2 * 3_600_000;
    let factor = 3.0;
    stage
        .decide(&id, Override::Boost { factor, until_ms })
        .await;
    stage.poll_for(10).await;
    stage.tells(&id, "14-boosted").await;
    pass(2 * 3600).await;
    let told = stage.registry.explain(&id).await.unwrap().to_string();
    assert!(!told.contains("boosted"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_new_job_waits_for_its_first_poll() {
    let mut rules = limited(60, 15, 0);
    let told = ScopeRule {
        scope: "account:{account}".parse().unwrap(),
        cushion: None,
        limit: None,
    };
    rules.scopes.push(told);
    let stage = Stage::new(rules);
    let id = stage.register("42").await;
    pass(30).await;
    stage.tells(&id, "15-new").await;
}

async fn first_with(stage: &Stage, ids: &[JobId], word: &str) -> JobId {
    for id in ids {
        if stage.reason(id).await.contains(word) {
            return id.clone();
        }
    }
    panic!("no job's reason has the word {word}");
}
