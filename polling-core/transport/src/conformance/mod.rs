//! What every adapter of a port promises, as tests that run over any of them.

pub mod bus;
pub mod queue;
