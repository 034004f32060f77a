//! Settings that change while the program runs.
//!
//! A program has its configuration, as tables, keys and values that it read at its start: the **static** values. Some of
//! it is declared **dynamic**. Sources, such as Consul's key-value store, lay values over those, by hierarchical keys; the whole is
//! read and checked again as the program's own type, and whoever watches gets it.
//!
//! ```
//! use std::sync::Arc;
//! use polling_model::{Generator, SystemClock};
//! use polling_ops::config::{Catalog, FileSource, Layers, Setting, Settings};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Kettle { celsius: u8 }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let catalog = Catalog::new(vec![Setting::new("celsius", "celsius", "How hot it gets")]);
//! let check = |kettle: &Kettle| match kettle.celsius {
//!     0..=100 => Vec::new(),
//!     _ => vec![polling_ops::config::Fault::at(["celsius"], "it needs 0 to 100")],
//! };
//! let layers = Layers::new("celsius = 80".parse()?, catalog, check)?;
//!
//! let (settings, run) = Settings::over(layers, Arc::new(SystemClock), Generator::from_os())
//!     .source(FileSource::new("/etc/kettle/dynamic.toml"))
//!     .start();
//! tokio::spawn(run);
//! assert_eq!(settings.get().celsius, 80);
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! - A value takes effect only if the whole configuration is right with it. What is not right is **refused**: the last
//!   good value stays, and [`Current::refused`] tells the reason.
//! - Values that are right only together, such as a least and a most, take effect together.
//! - A source that cannot be reached, or that has lost all that it held, changes nothing: what it said last stays.
//!   [`Current::sources`] tells so. One that was never reached leaves the static values; or, with [`Building::keep`], what it said
//!   to an earlier run.
//! - Every value in force knows its source, and when it changed.
//! - Values are told: in the log when they change, and to whoever looks at [`Current`]. A catalog names no secret.

mod below;
mod catalog;
#[cfg(feature = "consul")]
mod consul;
mod current;
mod environment;
mod fault;
mod file;
mod key;
mod layers;
#[cfg(feature = "metrics")]
mod metrics;
mod read;
#[cfg(feature = "config-redis")]
mod redis;
mod settings;
mod source;

#[cfg(feature = "consul")]
pub use self::consul::{
    CALL_DEADLINE, Check, Consul, ConsulBuilder, ConsulError, ConsulSource, Entry, MAX_PAST,
    MIN_PERIOD, Past, WAIT,
};
#[cfg(feature = "metrics")]
pub use self::metrics::{
    SETTINGS_IN_FORCE, SETTINGS_RECALLED, SETTINGS_REFUSED, SETTINGS_SOURCE_FAILING,
    SETTINGS_UNKEPT,
};
#[cfg(feature = "config-redis")]
pub use self::redis::RedisSource;
/// A configuration as it is read from TOML.
pub use toml::Table;

pub use self::{
    below::Below,
    catalog::{Catalog, Setting},
    current::{Current, InForce, Refused, SourceState},
    environment::EnvironmentSource,
    fault::Fault,
    file::{FileSource, found_in},
    key::{Key, KeyError, MAX_KEY_LEN, MAX_SEGMENTS},
    layers::Layers,
    settings::{Building, Settings},
    source::{Found, MAX_KEYS, MAX_VALUE_LEN, Source, SourceError},
};
