//! One connection of a client, and the one to the server that goes with it.
//!
//! Four parts run side by side, so that neither side ever waits for the other to read:
//!
//! ```text
//! client ─► requests ─► upstream writer ─► server
//!              │ what is to come of the replies, in order
//! client ◄─ client writer ◄─ replies ◄─ server
//! ```

mod exchange;
mod line;

use std::{io, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use tokio::{io::AsyncReadExt, net::TcpStream, sync::watch, time::timeout};

use super::{counts::Fault, listen::Shared};

/// How long the server may take to accept.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// As if the other side had closed it.
    Close,
    /// At once.
    Reset,
    /// Not at all: the client has to find out.
    Dead,
}

/// Serves the `number`th connection until it ends. Whenever `resets` changes, it is reset.
pub(super) async fn serve(
    mut client: TcpStream,
    number: u64,
    shared: &Shared,
    mut resets: watch::Receiver<u64>,
) -> io::Result<()> {
    let random = StdRng::seed_from_u64(shared.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut upstream = None;
    let serving = async {
        let mut end = connect_and_exchange(&mut client, &mut upstream, shared, random).await;
        if end == End::Dead {
            end = swallow(&mut client).await;
        }
        end
    };
    let end = tokio::select! {
        biased;
        _ = resets.changed() => {
            shared.counts.add(Fault::Reset, 1);
            End::Reset
        }
        end = serving => end,
    };
    if end == End::Reset {
        client.set_zero_linger()?;
        if let Some(upstream) = &upstream {
            upstream.set_zero_linger()?;
        }
    }
    Ok(())
}

async fn connect_and_exchange(
    client: &mut TcpStream,
    upstream: &mut Option<TcpStream>,
    shared: &Shared,
    random: StdRng,
) -> End {
    if shared.faults.borrow().black_hole {
        shared.counts.add(Fault::BlackHole, 1);
        return End::Dead;
    }
    let Ok(Ok(connected)) = timeout(CONNECT_DEADLINE, TcpStream::connect(shared.upstream)).await
    else {
        return End::Reset; // as near as can be to a server that is not there
    };
    let upstream = upstream.insert(connected);
    let no_delay = client.set_nodelay(true).and(upstream.set_nodelay(true));
    if let Err(error) = no_delay {
        tracing::debug!(%error, "a connection ended before it began");
        return End::Close;
    }
    exchange::exchange(client, upstream, shared, random).await
}

/// Reads what the client still sends until it gives up.
async fn swallow(client: &mut TcpStream) -> End {
    let mut bytes = [0; 4096];
    while let Ok(1..) = client.read(&mut bytes).await {}
    End::Close
}
