//! A token endpoint whose refresh tokens rotate, and workers of its channel.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_core::{
    AccountId, ChannelId, Generator, SharedClock, TokioClock,
    auth::{
        Credentials, FreshToken, MemoryTokenCache, RefreshError, SharedTokenCache, TokenCache,
        TokenEndpoint, TokenKey, Tokens, TokensBuilder, TokensConfig,
    },
};
use tokio::time::sleep;

pub(crate) const START_MS: i64 = 1_700_000_000_000;
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// What the endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Answer {
    /// `access-1`, `access-2` …, each for an hour, with `refresh-1`, `refresh-2` …; each of these
    /// is good once.
    Rotating,
    /// The same for so long.
    Lasting(Duration),
    Down,
    Refused,
    Nonsense,
    Panic,
}

/// Counts its calls.
#[derive(Debug)]
pub(crate) struct Endpoint {
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    answer: Answer,
    takes: Duration,
    calls_ms: Vec<i64>,
    issued: u32,
}

impl Endpoint {
    pub(crate) fn answers(&self, answer: Answer) {
        self.state.lock().unwrap().answer = answer;
    }

    pub(crate) fn takes(&self, takes: Duration) {
        self.state.lock().unwrap().takes = takes;
    }

    pub(crate) fn calls(&self) -> usize {
        self.state.lock().unwrap().calls_ms.len()
    }

    /// Between each two calls.
    pub(crate) fn gaps_ms(&self) -> Vec<i64> {
        let calls_ms = &self.state.lock().unwrap().calls_ms;
        calls_ms.windows(2).map(|two| two[1] - two[0]).collect()
    }

    fn issue(
        &self,
        current: Option<&Credentials>,
        life: Duration,
    ) -> Result<FreshToken, RefreshError> {
        let mut state = self.state.lock().unwrap();
        let refresh = current.and_then(|current| current.refresh.as_ref());
        let good = format!("refresh-{}", state.issued);
        if refresh.is_some_and(|refresh| refresh.expose() != good) {
            return Err(RefreshError::refused("invalid_grant"));
        }
        state.issued += 1;
        let n = state.issued;
        Ok(FreshToken::new(format!("access-{n}"))
            .with_refresh(format!("refresh-{n}"))
            .expires_in(life))
    }
}

impl TokenEndpoint for Endpoint {
    async fn refresh(
        &self,
        _: &AccountId,
        current: Option<&Credentials>,
    ) -> Result<FreshToken, RefreshError> {
        let (answer, takes) = {
            let mut state = self.state.lock().unwrap();
            state.calls_ms.push(self.clock.now_ms());
            (state.answer, state.takes)
        };
        // The refresh token is spent when the call arrives; the answer takes its time.
        let answered = match answer {
            Answer::Rotating => self.issue(current, HOUR),
            Answer::Lasting(life) => self.issue(current, life),
            Answer::Down => Err(RefreshError::unavailable("HTTP status 503")),
            Answer::Refused => Err(RefreshError::refused("invalid_grant")),
            Answer::Nonsense => Err(RefreshError::invalid("no JSON")),
            Answer::Panic => panic!("a bug of the program"),
        };
        sleep(takes).await;
        answered
    }
}

/// One channel: its endpoint, and a cache that its workers share.
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) cache: SharedTokenCache,
    pub(crate) clock: SharedClock,
    config: TokensConfig,
}

impl Channel {
    pub(crate) fn new(clock: SharedClock) -> Self {
        let endpoint = Endpoint {
            clock: Arc::clone(&clock),
            state: Mutex::new(State {
                answer: Answer::Rotating,
                takes: Duration::ZERO,
                calls_ms: Vec::new(),
                issued: 0,
            }),
        };
        Self {
            id: format!("test-{}", Generator::from_os().nonce())
                .parse()
                .unwrap(),
            endpoint: Arc::new(endpoint),
            cache: Arc::new(MemoryTokenCache::new(Arc::clone(&clock))),
            clock,
            config: TokensConfig::default(),
        }
    }

    /// In memory, by paused time.
    pub(crate) fn paused() -> Self {
        Self::new(Arc::new(TokioClock::starting_at(START_MS)))
    }

    #[cfg(feature = "auth-redis")]
    pub(crate) fn with_config(mut self, config: TokensConfig) -> Self {
        self.config = config;
        self
    }

    pub(crate) fn builder_on(&self, cache: SharedTokenCache) -> TokensBuilder {
        Tokens::builder(self.id.clone(), Arc::clone(&self.endpoint))
            .cache(cache)
            .clock(Arc::clone(&self.clock))
            .config(self.config.clone())
    }

    /// A worker that is a process of its own.
    pub(crate) fn worker_on(&self, cache: SharedTokenCache) -> Tokens {
        self.builder_on(cache).build().unwrap()
    }

    pub(crate) fn worker(&self) -> Tokens {
        self.worker_on(Arc::clone(&self.cache))
    }

    pub(crate) fn key(&self, account: &str) -> TokenKey {
        TokenKey {
            channel: self.id.clone(),
            account: account.parse().unwrap(),
        }
    }

    /// Puts a token into `cache` that has expired, with the endpoint's first refresh token.
    pub(crate) async fn expired(&self, cache: &dyn TokenCache, account: &str) {
        let (issued, expired) = (self.clock.now_ms() - 7_200_000, self.clock.now_ms() - 1);
        let times = format!(r#""issued_at_ms":{issued},"expires_at_ms":{expired}"#);
        let token = format!(r#"{{"v":1,"access":"old","refresh":"refresh-0",{times}}}"#);
        cache
            .put(&self.key(account), token.as_bytes())
            .await
            .unwrap();
    }
}
