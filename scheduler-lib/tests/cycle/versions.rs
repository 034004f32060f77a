//! Messages of other versions.
