//! Alerts, generated from what there is to watch: services by their interface, channels by their configuration.
//!
//! Nothing here reads or writes a file, or calls a server. Each alert reckons one number and compares it with its
//! thresholds, `warning` and `critical`. From the same alerts come rules of Prometheus with unit tests for `promtool`, routes of
//! Alertmanager, and objects of Nagios that ask Prometheus or Graphite.
//!
//! ```
//! use std::collections::BTreeMap;
//! use polling_ops::alerts::{Alerts, Method, Service, Watched};
//!
//! let methods = BTreeMap::from([("Place".to_owned(), Method::default())]);
//! let orders = Service { name: "shop.v1.Orders".to_owned(), methods };
//! let watched = Watched { services: vec![orders], ..Watched::default() };
//!
//! let mut alerts = Alerts::of(&watched);
//! let key = "alerts/services/shop.v1.Orders/Place/latency/critical";
//! assert_eq!(alerts.defaults()[&key.parse()?], "5%");
//! let refused = alerts.read(&BTreeMap::from([(key.to_owned(), "10%".to_owned())]));
//! assert!(refused.is_empty());
//! assert!(alerts.prometheus_rules().contains("alert: RpcCallsAreSlow"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A threshold is a setting like any other ([`config`](crate::config)): `alerts/services/SERVICE/METHOD/ALERT/THRESHOLD`,
//! `alerts/channels/CHANNEL/JOB_TYPE/ALERT/THRESHOLD`, and without the method or the job type for the whole.
//! [`Alerts::defaults`] tells all of them with their defaults.

mod alert;
mod alertmanager;
mod graphite;
mod kind;
mod kinds;
pub mod nagios;
mod prometheus;
mod promql;
mod promtool;
mod proto;
mod series;
mod subject;
mod thresholds;
mod value;
mod yaml;

use std::collections::BTreeMap;

use self::thresholds::{Texts, Thresholds};
pub use self::{
    alert::Alerts,
    alertmanager::RECEIVERS,
    proto::{InterfaceError, Method, Service},
    subject::{Bounds, Channel, JobTypeOfChannel, Watched},
    thresholds::Refused,
};
use crate::config::Key;

/// The first line of whatever is generated: who finds it there may write the file anew.
pub const HEADER: &str =
    "# Written by `pollctl alerts generate`: change the thresholds, not this file.\n";

/// All thresholds with their defaults, for whoever loads them into a store of settings.
#[must_use]
pub fn defaults(watched: &Watched) -> BTreeMap<Key, String> {
    Alerts::of(watched).defaults()
}
