//! From a registration to the next poll, with a worker that is a stub.

use std::time::Duration;

use polling_model::{Completion, Context, Job, Outcome, wire};
use polling_transport::{Message, Queue};

use crate::service::{Service, Transport, variable};

async fn receive(queue: &dyn Queue) -> Message {
    let messages = queue.receive(1, Duration::from_secs(20)).await.unwrap();
    messages
        .into_iter()
        .next()
        .expect("a job comes within twenty seconds")
}

fn completion(job: &Job, context: Context) -> String {
    let completion = Completion {
        id: job.id.clone(),
        job_type: job.job_type.clone(),
        token: job.token,
        outcome: Outcome::Succeeded {
            context,
            stopped: None,
        },
        allowances: Vec::new(),
        saturated: false,
        events: 0,
        created_ms: Vec::new(),
        calls: 1,
        finished_ms: job.due_ms,
        sent_ms: None,
    };
    wire::encode_completion(&completion).unwrap()
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_registered_job_reaches_the_worker_and_comes_back_with_what_the_worker_left() {
    go_round(Transport::Sqs).await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn so_it_does_where_redis_is_all_there_is() {
    go_round(Transport::Redis).await;
}

async fn go_round(transport: Transport) {
    let service = Service::start_on(&variable("POLLING_REDIS_URL"), transport);
    let (work, completed) = (
        service.queue("posts").await,
        service.queue("completed").await,
    );
    let registered = service.call(
        "POST",
        &service.jobs(),
        r#"{"job_type": "posts", "account": "a/b@c", "context": {"since": 1}}"#,
    );
    assert_eq!(registered["id"], "posts:a/b@c");

    let message = receive(&*work).await;
    let job: Job = wire::decode_job(message.body.as_bytes()).unwrap();
    assert_eq!(
        (job.id.as_str(), job.context.get_i64("since")),
        ("posts:a/b@c", Some(1))
    );
    let context = Context::from_iter([("since", 2.into())]);
    let sent = completed.send(vec![completion(&job, context)]).await;
    assert_eq!(sent, [Ok(())]);
    work.ack(&message.receipt).await.unwrap();

    // It was settled when it comes again, and with the new context.
    let message = receive(&*work).await;
    let again: Job = wire::decode_job(message.body.as_bytes()).unwrap();
    assert_eq!(again.context.get_i64("since"), Some(2));
    assert_eq!(again.token.generation, job.token.generation + 1);
    let shown = service.call("GET", &format!("{}/posts:a%2Fb@c", service.jobs()), "");
    assert_eq!(
        (&shown["place"], &shown["context"]["since"]),
        (&"in_flight".into(), &2.into())
    );
    assert_eq!(service.call("GET", "/readyz", "")["ready"], true);
    service.terminate();
}
