//! The scheduler's console, for as long as the quickstart runs.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use polling_core::{Generator, SharedClock};
use scheduler_lib::Scheduler;
use scheduler_web::{Options, Recent, Secret, Web};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where it listens, and the secret of whoever may look.
#[derive(Debug)]
pub(crate) struct Console {
    listener: TcpListener,
    address: SocketAddr,
    token: String,
}

impl Console {
    pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await;
        let listener =
            listener.with_context(|| format!("the console cannot listen on {address}"))?;
        let generator = Generator::from_os();
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            token: format!("{:016x}{:016x}", generator.next_u64(), generator.next_u64()),
        })
    }

    /// An address that logs in by itself: what follows `#` stays in the browser until its script sends it.
    pub(crate) fn link(&self) -> String {
        format!("http://{}/console/login#{}", self.address, self.token)
    }

    /// Shows what this scheduler serves, and what `recent` saw of it, until `stop`.
    pub(crate) fn serve(
        self,
        scheduler: &Scheduler,
        clock: SharedClock,
        recent: Arc<Recent>,
        stop: CancellationToken,
    ) {
        let mut options = Options::default();
        options.listen = self.address;
        options.token = Some(Secret::new(self.token));
        let web = Web::builder(scheduler, clock)
            .options(options)
            .recent(recent)
            .build();
        tokio::spawn(scheduler_web::serve(self.listener, web.router(), stop));
    }
}
