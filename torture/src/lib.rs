//! The whole system under force: schedulers, workers and servers as processes that are killed,
//! stopped and cut off, and oracles that watch from outside.
