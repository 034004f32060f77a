//! What can be wrong with queues on SQS.

use polling_transport::sqs::{self, Client};
use scheduler::{config::Config, servers::create_queues};

use crate::scene::{Scene, config, endpoint};

/// What an operator does with the console of SQS.
async fn console() -> Client {
    let settings = sqs::client_config(&sqs::load_config().await);
    let address = std::env::var("POLLING_SQS_ENDPOINT").unwrap();
    Client::from_conf(settings.endpoint_url(address).build())
}

async fn url(client: &Client, queue: &str) -> String {
    let found = client.get_queue_url().queue_name(queue).send().await;
    found.unwrap().queue_url.unwrap()
}

async fn set(queue: &str, attribute: &str, value: &str) {
    let client = console().await;
    let call = client.set_queue_attributes();
    let call = call.queue_url(url(&client, queue).await);
    let set = call.attributes(attribute.into(), value).send().await;
    set.unwrap();
}

async fn delete(queue: &str) {
    let client = console().await;
    let call = client.delete_queue().queue_url(url(&client, queue).await);
    call.send().await.unwrap();
}

/// A redrive policy in SQS's words.
fn policy(dead_letter: &str, receives: u32) -> String {
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{dead_letter}");
    format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":\"{receives}\"}}")
}

/// `scheduler create-queues`
async fn create(scene: &Scene) {
    let text = config(&scene.channel, &scene.redis.url(), "", &endpoint());
    for created in create_queues(&Config::parse("s.toml", &text, []).unwrap()).await {
        created.result.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_missing_queue_is_named_and_its_mend_mends_it() {
    let scene = Scene::on_sqs().await;
    delete(&scene.queue("posts")).await;
    scene
        .names(
            "problem",
            &scene.queue("posts"),
            "`scheduler create-queues`",
        )
        .await;
    create(&scene).await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_queue_without_redrive_policy_is_named_and_its_mend_mends_it() {
    let scene = Scene::on_sqs().await;
    let queue = scene.queue("posts");
    delete(&queue).await;
    let created = console().await;
    let call = created.create_queue().queue_name(&queue);
    let call = call.attributes("VisibilityTimeout".into(), "30");
    call.send().await.unwrap();
    let what = format!("queue {queue} has no redrive policy");
    let mend = "delete it and run `scheduler create-queues`";
    scene.names("warning", &what, mend).await;
    delete(&queue).await;
    create(&scene).await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_redrive_policy_to_the_wrong_queue_is_named_and_its_mend_mends_it() {
    let scene = Scene::on_sqs().await;
    let (queue, dead) = (scene.queue("posts"), scene.queue("dead-letter"));
    let wrong = scene.queue("completed");
    set(&queue, "RedrivePolicy", &policy(&wrong, 3)).await;
    let what = format!("queue {queue} sends dead letters to {wrong}");
    let mend = format!("point its redrive policy at {dead}");
    scene.names("problem", &what, &mend).await;
    set(&queue, "RedrivePolicy", &policy(&dead, 3)).await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn more_receives_than_configured_are_named_and_their_mend_mends_them() {
    let scene = Scene::on_sqs().await;
    let (queue, dead) = (scene.queue("posts"), scene.queue("dead-letter"));
    set(&queue, "RedrivePolicy", &policy(&dead, 9)).await;
    let what = format!("queue {queue} allows 9 receives, limits.max_receives is 3");
    let mend = "set its maxReceiveCount to 3";
    scene.names("problem", &what, mend).await;
    set(&queue, "RedrivePolicy", &policy(&dead, 3)).await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn completions_that_soon_become_dead_letters_are_named_with_their_mend() {
    let scene = Scene::on_sqs().await;
    let (queue, dead) = (scene.queue("completed"), scene.queue("dead-letter"));
    set(&queue, "RedrivePolicy", &policy(&dead, 2)).await;
    let what = format!("queue {queue} allows 2 receives: in an outage of the store");
    let mend = "set its maxReceiveCount to 100";
    scene.names("warning", &what, mend).await;
    set(&queue, "RedrivePolicy", &policy(&dead, 100)).await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_visibility_timeout_too_short_is_named_and_its_mend_mends_it() {
    let scene = Scene::on_sqs().await;
    let queue = scene.queue("posts");
    set(&queue, "VisibilityTimeout", "2").await;
    let what = format!("queue {queue} has a visibility timeout of 2s");
    scene.names("warning", &what, "to 1m").await;
    set(&queue, "VisibilityTimeout", "60").await;
    scene.is_well().await;
}
