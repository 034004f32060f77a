//! From figures to the table of what was promised.

mod figures;
mod promises;
mod table;

pub use self::{
    figures::Figures,
    promises::{PROMISES, Promise, Reach, STABLE},
    table::{all_kept, markdown, terminal},
};
