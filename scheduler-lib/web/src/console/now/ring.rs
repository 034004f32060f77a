//! The ring of slots as a picture, and as numbers.

use std::{f64::consts::TAU, fmt::Write as _, ops::Range};

use maud::{Markup, html};
use polling_model::{AbsoluteSlot, SlotRing, caps::SLOTS};
use scheduler_lib::store::Loads;

use crate::console::words::{clock, number};

/// The ring is told in so many parts: of a day of minutes, hours.
pub(super) const PARTS: usize = 24;

/// Slots of a part.
pub(super) const PART: usize = SLOTS as usize / PARTS;

/// Shades by how full a slot is, beside the fullest.
const SHADES: usize = 4;

/// The picture's middle, and where bars begin and end, of 2000.
const MIDDLE: f64 = 1000.0;
const INNER: f64 = 600.0;
const OUTER: f64 = 940.0;

/// Where times are written.
const TIMES: f64 = 510.0;

/// The jobs of each slot of the ring, by its index.
pub(super) fn by_index(loads: &Loads) -> Vec<u64> {
    let mut jobs = vec![0; SLOTS as usize];
    for (slot, load) in (loads.cursor..).zip(&loads.jobs) {
        jobs[AbsoluteSlot(slot).index() as usize] += load;
    }
    jobs
}

/// When the slot with this index comes next, UTC milliseconds.
pub(super) fn next_ms(loads: &Loads, ring: SlotRing, index: usize) -> i64 {
    let cursor = AbsoluteSlot(loads.cursor);
    let ahead = (index as i64 - cursor.index()).rem_euclid(SLOTS);
    ring.start_ms(cursor.plus(ahead))
}

/// The fullest of some slots.
pub(super) fn fullest(jobs: &[u64], of: Range<usize>) -> usize {
    of.clone()
        .max_by_key(|at| (jobs[*at], std::cmp::Reverse(*at)))
        .unwrap_or(of.start)
}

/// A ray for each slot, longer the more jobs it has; the hand points to the slot that is drained.
pub(super) fn picture(loads: &Loads, ring: SlotRing) -> Markup {
    let jobs = by_index(loads);
    let all: u64 = jobs.iter().sum();
    let fullest = fullest(&jobs, 0..jobs.len());
    let time = |index: usize| clock(next_ms(loads, ring, index), ring.width_ms());
    let cursor = AbsoluteSlot(loads.cursor).index() as usize;
    let now = clock(ring.start_ms(AbsoluteSlot(loads.cursor)), ring.width_ms());
    let (hand_x, hand_y) = at(cursor as f64 + 0.5, OUTER + 30.0);
    let (foot_x, foot_y) = at(cursor as f64 + 0.5, INNER - 20.0);
    html! {
        figure.ring {
            svg #ring viewBox="0 0 2000 2000" aria-hidden="true" {
                circle.track cx=(MIDDLE) cy=(MIDDLE) r=(INNER - 8.0) {}
                @for (shade, rays) in rays(&jobs).iter().enumerate() { path class={ "ray shade" (shade) } d=(rays) {} }
                line.hand x1=(foot_x) y1=(foot_y) x2=(hand_x) y2=(hand_y) {}
                circle.hand cx=(hand_x) cy=(hand_y) r="16" {}
                @for part in (0..PARTS).step_by(3) {
                    @let (x, y) = at((part * PART) as f64, TIMES);
                    text.time x=(x) y=(y) { (clock(next_ms(loads, ring, part * PART), ring.width_ms().max(60_000))) }
                }
                text.all x="1000" y="985" { (number(all)) }
                text.at x="1000" y="1100" { (now) }
                @for part in 0..PARTS {
                    @let slots = part * PART..(part + 1) * PART;
                    @let sum: u64 = jobs[slots.clone()].iter().sum();
                    a href={ "?part=" (part) } tabindex="-1" {
                        path.wedge d=(wedge(slots.start, slots.end)) { title { (time(slots.start)) ": " (number(sum)) " jobs" } }
                    }
                }
            }
            figcaption #ring-told {
                (number(all)) " jobs in " (number(SLOTS.unsigned_abs())) " slots. The hand is at " (now) " UTC; the fullest slot, " (time(fullest)) ", has " (number(jobs[fullest])) "."
            }
        }
    }
}

/// Each part in a row.
pub(super) fn numbers(loads: &Loads, ring: SlotRing) -> Markup {
    let jobs = by_index(loads);
    let time = |index: usize| clock(next_ms(loads, ring, index), ring.width_ms());
    let first = AbsoluteSlot(loads.cursor).index() as usize / PART;
    html! {
        div.wide tabindex="0" {
            table {
                thead { tr { th scope="col" { "From" } th.number scope="col" { "Jobs" } th scope="col" { "Fullest slot" } } }
                tbody {
                    @for part in (first..first + PARTS).map(|part| part % PARTS) {
                        @let slots = part * PART..(part + 1) * PART;
                        @let fullest = fullest(&jobs, slots.clone());
                        tr {
                            th scope="row" { a #{ "part-" (part) } href={ "?part=" (part) } { (time(slots.start)) } }
                            td.number { (number(jobs[slots].iter().sum())) }
                            td { (time(fullest)) " with " (number(jobs[fullest])) }
                        }
                    }
                }
            }
        }
    }
}

/// The rays of each shade, as one path each.
fn rays(jobs: &[u64]) -> [String; SHADES] {
    let most = jobs.iter().copied().max().unwrap_or_default();
    let mut rays = [const { String::new() }; SHADES];
    for (index, &load) in jobs.iter().enumerate().filter(|(_, load)| **load > 0) {
        let share = load as f64 / most as f64;
        let shade = ((share * SHADES as f64).ceil() as usize).clamp(1, SHADES) - 1;
        // By the root, so that the picture of an uneven ring is not one peak.
        let length = (OUTER - INNER) * share.sqrt().max(0.05);
        let (from_x, from_y) = at(index as f64 + 0.5, INNER);
        let (to_x, to_y) = at(index as f64 + 0.5, INNER + length);
        let (by_x, by_y) = (to_x - from_x, to_y - from_y);
        let _ = write!(rays[shade], "M{from_x} {from_y}l{by_x} {by_y}");
    }
    rays
}

/// What lies between two slots, to be pointed at.
fn wedge(from: usize, to: usize) -> String {
    let [from, to] = [from, to].map(|index| index as f64);
    let [(a, b), (c, d)] = [at(from, INNER), at(from, OUTER)];
    let [(e, f), (g, h)] = [at(to, OUTER), at(to, INNER)];
    format!("M{a} {b}L{c} {d}A{OUTER} {OUTER} 0 0 1 {e} {f}L{g} {h}A{INNER} {INNER} 0 0 0 {a} {b}Z")
}

/// A point of the picture; midnight is on top, and time goes as on a clock.
fn at(index: f64, radius: f64) -> (i64, i64) {
    let angle = index / SLOTS as f64 * TAU;
    let round = |far: f64| far.round() as i64;
    (
        round(MIDDLE + radius * angle.sin()),
        round(MIDDLE - radius * angle.cos()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loads(cursor: i64, full: &[(usize, u64)]) -> Loads {
        let mut jobs = vec![0; SLOTS as usize];
        for (ahead, load) in full {
            jobs[*ahead] = *load;
        }
        Loads { cursor, jobs }
    }

    #[test]
    fn the_first_slot_of_a_day_is_on_top() {
        assert_eq!(at(0.0, 100.0), (1000, 900));
        assert_eq!(at(360.0, 100.0), (1100, 1000));
        assert_eq!(at(720.0, 100.0), (1000, 1100));
    }

    #[test]
    fn a_slot_before_the_hand_is_tomorrows() {
        let noon = loads(720, &[]);
        let hours = |index| next_ms(&noon, SlotRing::MINUTES, index) / 3_600_000;
        assert_eq!(
            [hours(720), hours(780), hours(719), hours(0)],
            [12, 13, 35, 24]
        );
    }

    #[test]
    fn what_is_beyond_a_ring_counts_where_it_will_be() {
        let mut loads = loads(1_439, &[(0, 5), (1, 7)]);
        loads.jobs.push(2);
        let jobs = by_index(&loads);
        assert_eq!((jobs[1_439], jobs[0], jobs.iter().sum::<u64>()), (7, 7, 14));
    }

    #[test]
    fn a_picture_is_bounded_however_full_the_ring_is() {
        let full: Vec<_> = (0..SLOTS as usize)
            .map(|slot| (slot, u64::MAX >> 12))
            .collect();
        let picture = picture(&loads(3, &full), SlotRing::MINUTES).into_string();
        assert!(picture.len() < 48 * 1024, "{}", picture.len());
        let empty = super::picture(&loads(3, &[]), SlotRing::MINUTES).into_string();
        assert!(empty.len() < 8 * 1024, "{}", empty.len());
    }

    #[test]
    fn an_empty_ring_has_no_rays() {
        assert_eq!(rays(&[0; 1440]), [const { String::new() }; SHADES]);
        let rays = rays(&loads(0, &[(0, 1), (1, 100)]).jobs);
        assert!(!rays[0].is_empty() && !rays[3].is_empty());
    }
}
