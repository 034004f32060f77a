use std::{future::Future, io};

use async_trait::async_trait;
use polling_model::ScopeKey;
use scheduler_lib::ledger::{Grant, Heard, Ledger, LedgerError, Request, Standing};

use super::{Faulty, store::MAX_SKEW_MS};
use crate::cycle::faults::Fault;

impl<L: Ledger> Faulty<L> {
    /// One step of a ledger; it lives where the store does, and fails as that does.
    async fn reckon<T>(
        &self,
        operation: &'static str,
        effect: impl Future<Output = Result<T, LedgerError>>,
    ) -> Result<T, LedgerError> {
        let failed = || {
            Err(LedgerError::new(
                "simulated",
                operation,
                io::Error::from(io::ErrorKind::ConnectionReset),
            ))
        };
        self.side(operation).await;
        if self.process.skew_ms().abs() > MAX_SKEW_MS {
            return failed();
        }
        let fault = self.draw(operation, &[Fault::StoreRefused, Fault::StoreLostReply]);
        if fault == Some(Fault::StoreRefused) {
            return failed();
        }
        let done = effect.await;
        self.side(operation).await;
        if fault.is_some() { failed() } else { done }
    }
}

#[async_trait]
impl<L: Ledger> Ledger for Faulty<L> {
    async fn reserve(&self, requests: &[Request], now_ms: i64) -> Result<Vec<Grant>, LedgerError> {
        self.reckon("reserve", self.inner.reserve(requests, now_ms))
            .await
    }

    async fn give_back(
        &self,
        request: &Request,
        calls: usize,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.reckon("give_back", self.inner.give_back(request, calls, now_ms))
            .await
    }

    async fn hear(&self, heard: &[Heard], now_ms: i64) -> Result<Vec<Standing>, LedgerError> {
        self.reckon("hear", self.inner.hear(heard, now_ms)).await
    }

    async fn standing(
        &self,
        scopes: &[ScopeKey],
        now_ms: i64,
    ) -> Result<Vec<Standing>, LedgerError> {
        self.reckon("standing", self.inner.standing(scopes, now_ms))
            .await
    }
}
