//! Sixty slots of the ring, each as a bar.

use maud::{Markup, html};
use polling_model::{AbsoluteSlot, SlotRing, caps::SLOTS};
use scheduler_lib::store::Loads;

use super::ring::{PART, by_index, next_ms};
use crate::console::words::{clock, number};

/// The picture's size.
const HEIGHT: u64 = 150;
const BAR: usize = 10;

/// A part of the ring, or the slots that come next.
pub(super) fn closely(loads: &Loads, ring: SlotRing, part: Option<usize>) -> Markup {
    let jobs = by_index(loads);
    let cursor = AbsoluteSlot(loads.cursor).index() as usize;
    let first = part.map_or(cursor, |part| part * PART);
    let slots: Vec<usize> = (first..first + PART)
        .map(|slot| slot % SLOTS as usize)
        .collect();
    let time = |slot: usize| clock(next_ms(loads, ring, slot), ring.width_ms());
    let all: u64 = slots.iter().map(|slot| jobs[*slot]).sum();
    let fullest = slots.iter().copied().rev().max_by_key(|slot| jobs[*slot]);
    let fullest = fullest.unwrap_or(first);
    let most = jobs[fullest].max(1);
    let height = |slot: usize| (jobs[slot] as f64 * HEIGHT as f64 / most as f64).ceil() as u64;
    html! {
        figure.hour {
            h2 { @if part.is_none() { "The next " (PART) " slots" } @else { "The " (PART) " slots from " (time(first)) } }
            svg viewBox="0 0 600 175" aria-hidden="true" {
                @for (at, &slot) in slots.iter().enumerate() {
                    rect.room x=(at * BAR) y="0" width=(BAR) height=(HEIGHT) { title { (time(slot)) ": " (number(jobs[slot])) } }
                    rect.load.at-hand[slot == cursor] x=(at * BAR + 1) y=(HEIGHT - height(slot)) width=(BAR - 2) height=(height(slot)) {}
                }
                @for at in (0..PART).step_by(10) { text.time x=(at * BAR + 1) y="170" { (time(slots[at])) } }
            }
            figcaption #hour-told { (number(all)) " jobs; the fullest slot, " (time(fullest)) ", has " (number(jobs[fullest])) "." }
        }
    }
}
