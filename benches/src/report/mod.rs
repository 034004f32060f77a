//! From figures to the table of what was promised.

mod figures;
mod plot;
mod promises;
mod table;

pub use self::{
    figures::Figures,
    plot::draw,
    promises::{PROMISES, Promise, Reach, STABLE},
    table::{all_kept, markdown, terminal},
};

pub(crate) use self::table::{day, number};
