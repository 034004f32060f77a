//! A canary in every place where a token goes must be in no place where people look.

use std::{
    fmt::{Debug, Write as _},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_core::{
    PollError, TokioClock,
    auth::{
        Credentials, FreshToken, MemoryTokenCache, RefreshError, TokenCache as _, TokenKey,
        TokenSource as _, Tokens, endpoint_fn,
    },
};
use tokio::time::advance;

const CANARY: &str = "canary/7f3a";

/// What was shown anywhere.
#[derive(Debug, Clone, Default)]
struct Shown(Arc<Mutex<String>>);

impl Shown {
    fn debug(&self, value: &impl Debug) {
        write!(self.0.lock().unwrap(), "{value:?} {value:#?}").unwrap();
    }

    fn error(&self, error: &PollError) {
        self.debug(error);
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            write!(self.0.lock().unwrap(), "{error} {error:?}").unwrap();
            cause = error.source();
        }
        self.debug(&error.to_failure());
    }

    fn assert_clean(&self) {
        let shown = self.0.lock().unwrap();
        assert!(
            shown.contains("refreshing a token failed"),
            "logs are among it"
        );
        for canary in [CANARY, "canary", "7f3a"] {
            assert!(!shown.contains(canary), "{canary} in {shown}");
        }
    }
}

impl io::Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.lock().unwrap().push_str(&text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As HTTP clients' errors do, it shows the address that was called.
fn leaky(current: Option<&Credentials>) -> RefreshError {
    let refresh = current.and_then(|current| current.refresh.as_ref());
    let refresh = refresh.map_or("none", |refresh| refresh.expose());
    let encoded = refresh.replace('/', "%2F");
    let cause = io::Error::other(format!("GET /token?refresh_token={encoded}"));
    RefreshError::unavailable(format!("no answer for {refresh}")).with_source(cause)
}

#[tokio::test(start_paused = true)]
async fn no_token_is_in_any_log_error_or_debug() {
    let shown = Shown::default();
    let writer = shown.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let endpoint = endpoint_fn(|_, current: Option<Credentials>| async move {
        match current {
            None => Ok(FreshToken::new(CANARY)
                .with_refresh(CANARY)
                .expires_in(Duration::from_secs(60))),
            Some(current) => Err(leaky(Some(&current))),
        }
    });
    let clock = Arc::new(TokioClock::starting_at(1_700_000_000_000));
    let cache = Arc::new(MemoryTokenCache::new(clock.clone()));
    let tokens = Tokens::builder("mastodon".parse().unwrap(), endpoint)
        .cache(cache.clone())
        .clock(clock)
        .build()
        .unwrap();
    let account = "42".parse().unwrap();

    let token = tokens.get(&account).await.unwrap();
    assert_eq!(token.expose(), CANARY);
    shown.debug(&token);
    shown.debug(&FreshToken::new(CANARY).with_refresh(CANARY));
    advance(Duration::from_secs(20)).await;
    shown.error(&tokens.renew(&account, &token).await.unwrap_err());
    advance(Duration::from_secs(60)).await;
    shown.error(&tokens.get(&account).await.unwrap_err());
    shown.debug(&tokens);
    shown.debug(&cache);
    let key = TokenKey {
        channel: "mastodon".parse().unwrap(),
        account,
    };
    shown.debug(&cache.read(&key).await.unwrap());
    shown.assert_clean();
}
