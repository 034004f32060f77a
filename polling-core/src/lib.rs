//! Write a polling worker: a poll function, and Tower layers for everything else.
