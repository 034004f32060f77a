//! A plan past one machine: what so many jobs need, from what was measured on one; the bill; and a
//! simulation that the plan is checked by.
//!
//! All of it is pure functions of [`Measured`], [`Demand`] and [`Prices`].

mod assumed;
mod bounds;
mod demand;
mod measured;
mod page;
mod plan;
mod plot;
mod prices;
pub mod simulation;
mod table;

#[cfg(test)]
mod tests;

pub use self::{
    bounds::{Bound, bounds, breaks_first},
    demand::{Demand, Transport},
    measured::Measured,
    page::write_between,
    plan::Plan,
    plot::draw,
    prices::{Bill, Prices, bill_of_a_million, break_even_jobs_per_s},
    table::{Simulated, bill_table, bounds_table, plan_table, simulation_table},
};
