//! Queues on a server that speaks the protocol of SQS.

mod creating;
mod differential;
mod requests;
mod server;
mod unreachable;

use server::fresh;

polling_transport::queue_conformance! {
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs dev/services"]
    fresh
}
