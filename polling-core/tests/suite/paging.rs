//! Cursors over a model of a feed that grows while it is paged.

mod driver;
mod feed;
mod properties;
mod seen;
