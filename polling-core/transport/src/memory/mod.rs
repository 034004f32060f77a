//! The adapters in memory: whole products for one process, for demos, tests and simulations.
