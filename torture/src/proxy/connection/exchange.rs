//! Requests one way, replies the other, and what is done to them.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    End,
    line::{MAX_WAITING, Outgoing, write_sliced},
};
use crate::proxy::{
    counts::Fault,
    listen::Shared,
    verdict::{Fate, Judge, Verdict},
    wire::{Frames, Side},
};

/// A reply that the client waits for.
enum Expected {
    /// The server's own, to the request with this number if they have any.
    Reply(Option<u32>, Fate),
    /// One that is made here.
    Made(Vec<u8>),
}

/// Passes on until either side ends or a fault ends it.
pub(super) async fn exchange(
    client: &mut TcpStream,
    upstream: &mut TcpStream,
    shared: &Shared,
    random: StdRng,
) -> End {
    let link = Link {
        shared,
        random: Mutex::new(random),
    };
    let (from_client, to_client) = client.split();
    let (from_upstream, to_upstream) = upstream.split();
    let (requests, waiting_requests) = mpsc::channel(MAX_WAITING);
    let (replies, waiting_replies) = mpsc::channel(MAX_WAITING);
    let (expect, expected) = mpsc::channel(MAX_WAITING);
    let ended = tokio::try_join!(
        link.read_requests(from_client, requests, expect),
        link.write(to_upstream, waiting_requests),
        link.read_replies(from_upstream, replies, expected),
        async {
            link.write(to_client, waiting_replies).await?;
            // The server has ended, and its last reply is out.
            Err::<(), _>(End::Close)
        },
    );
    let end = ended.map_or_else(|end| end, |_| End::Close);
    // Behind a black hole nobody hears the other side end.
    if end != End::Dead && link.in_black_hole() {
        return End::Dead;
    }
    end
}

struct Link<'a> {
    shared: &'a Shared,
    random: Mutex<StdRng>,
}

impl Link<'_> {
    /// Ends with an error what has to end at once; a client that has said all it wanted ends only
    /// this direction.
    async fn read_requests(
        &self,
        client: ReadHalf<'_>,
        requests: mpsc::Sender<Outgoing>,
        expect: mpsc::Sender<Expected>,
    ) -> Result<(), End> {
        let mut frames = Frames::new(client, self.shared.protocol, Side::Request);
        while let Some(request) = frames.next().await.map_err(|error| self.broken(&error))? {
            let correlation = self.shared.protocol.correlation(&request, Side::Request);
            let (expected, request) = match self.judge(request) {
                Verdict::Pass(request, fate) => (Expected::Reply(correlation, fate), Some(request)),
                Verdict::Answer(reply) => (Expected::Made(reply), None),
                Verdict::Silence => return Err(End::Dead),
                Verdict::Reset => {
                    self.shared.counts.add(Fault::Reset, 1);
                    return Err(End::Reset);
                }
            };
            expect.send(expected).await.map_err(|_| End::Close)?;
            if let Some(request) = request {
                let request = self.outgoing(request);
                requests.send(request).await.map_err(|_| End::Close)?;
            }
        }
        Ok(())
    }

    async fn read_replies(
        &self,
        upstream: ReadHalf<'_>,
        replies: mpsc::Sender<Outgoing>,
        mut expected: mpsc::Receiver<Expected>,
    ) -> Result<(), End> {
        let mut frames = Frames::new(upstream, self.shared.protocol, Side::Reply);
        loop {
            // What is made here needs no reply, but has its place among them.
            let reply = tokio::select! {
                biased;
                Some(next) = expected.recv() => match next {
                    Expected::Made(reply) => Some(self.outgoing(reply)),
                    Expected::Reply(correlation, fate) => {
                        self.await_reply(&mut frames, &mut expected, correlation, fate, &replies).await?
                    }
                },
                unasked = frames.next() => {
                    let unasked = unasked.map_err(|error| self.broken(&error))?;
                    unasked.map(|reply| self.outgoing(reply))
                }
            };
            let Some(reply) = reply else {
                return Ok(()); // the server has closed
            };
            replies.send(reply).await.map_err(|_| End::Close)?;
        }
    }

    /// The reply to a request, as it is to be passed on; none if the server closed. What comes
    /// before it unasked is passed on.
    async fn await_reply(
        &self,
        frames: &mut Frames<ReadHalf<'_>>,
        expected: &mut mpsc::Receiver<Expected>,
        mut correlation: Option<u32>,
        mut fate: Fate,
        replies: &mpsc::Sender<Outgoing>,
    ) -> Result<Option<Outgoing>, End> {
        let protocol = self.shared.protocol;
        loop {
            let Some(reply) = frames.next().await.map_err(|error| self.broken(&error))? else {
                return Ok(None);
            };
            if protocol.is_unasked(&reply) {
                let unasked = self.outgoing(reply);
                replies.send(unasked).await.map_err(|_| End::Close)?;
                continue;
            }
            // Some requests of Kafka have no reply: it is the next one's.
            while correlation != protocol.correlation(&reply, Side::Reply) {
                match expected.try_recv() {
                    Ok(Expected::Reply(next, its_fate)) => (correlation, fate) = (next, its_fate),
                    Ok(Expected::Made(_)) => {}
                    Err(_) => break,
                }
            }
            return Ok(Some(self.with_fate(reply, fate)));
        }
    }

    fn with_fate(&self, reply: Vec<u8>, fate: Fate) -> Outgoing {
        let cut = fate.cut;
        let reply = fate.apply(reply, &self.shared.received);
        let mut outgoing = self.outgoing(reply);
        if let Some(part) = cut {
            self.shared.counts.add(Fault::CutReply, 1);
            let length = (outgoing.bytes.len() as f64 * part) as usize;
            outgoing.bytes.truncate(length);
            outgoing.last = true;
        }
        outgoing
    }

    /// Writes what waits, each when it is due, and then says that nothing follows.
    async fn write(
        &self,
        mut to: WriteHalf<'_>,
        mut waiting: mpsc::Receiver<Outgoing>,
    ) -> Result<(), End> {
        while let Some(outgoing) = waiting.recv().await {
            if let Some(not_before) = outgoing.not_before {
                sleep_until(not_before).await;
            }
            if self.in_black_hole() {
                return Err(End::Dead);
            }
            let slice = self.shared.faults.borrow().slice_bytes;
            if slice.is_some_and(|slice| slice.get() < outgoing.bytes.len()) {
                self.shared.counts.add(Fault::Slice, 1);
            }
            let written = write_sliced(&mut to, &outgoing.bytes, slice).await;
            written.map_err(|error| self.broken(&error))?;
            if outgoing.last {
                return Err(End::Close);
            }
        }
        if self.in_black_hole() {
            return Err(End::Dead);
        }
        to.shutdown().await.map_err(|error| self.broken(&error))
    }

    fn judge(&self, request: Vec<u8>) -> Verdict {
        let judge = Judge {
            protocol: self.shared.protocol,
            faults: &self.shared.faults.borrow(),
            random: &mut self.random(),
            received: &self.shared.received,
            counts: &self.shared.counts,
        };
        judge.judge(request)
    }

    fn outgoing(&self, bytes: Vec<u8>) -> Outgoing {
        let latency_ms = self.shared.faults.borrow().latency_ms.clone();
        let not_before = latency_ms.filter(|range| !range.is_empty()).map(|range| {
            self.shared.counts.add(Fault::Latency, 1);
            let held_ms = self.random().random_range(range);
            Instant::now() + Duration::from_millis(held_ms)
        });
        Outgoing {
            bytes,
            not_before,
            last: false,
        }
    }

    /// Whoever asks is lost.
    fn in_black_hole(&self) -> bool {
        let lost = self.shared.faults.borrow().black_hole;
        if lost {
            self.shared.counts.add(Fault::BlackHole, 1);
        }
        lost
    }

    fn random(&self) -> MutexGuard<'_, StdRng> {
        // A panic elsewhere cannot leave a generator in a bad state.
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self, error: &std::io::Error) -> End {
        tracing::debug!(%error, protocol = ?self.shared.protocol, "a connection broke");
        End::Reset
    }
}
