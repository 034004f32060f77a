//! Queues on a Redis.

mod creating;
mod differential;
mod failures;
mod holding;
mod own_server;
mod server;
mod waiting;

use server::fresh;

polling_transport::queue_conformance! {
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs dev/services"]
    fresh
}
