//! What channels call their items.

use serde::{Serialize, de::DeserializeOwned};

use super::seen::encoded_len;
use crate::caps;

/// An id of an item: `u64` or `i64`, where a newer item has the greater number, or `String`, which
/// tells nothing but whether two are the same.
///
/// With numbers a cursor keeps the newest. With texts it keeps as many of the newest as
/// [`caps::MAX_MARKS`], and [`caps::MAX_MARKS_SIZE_BYTES`] of their encoding, so that it finds its
/// place though some of them are deleted; if all are, it reads on to the end, and publishes again
/// what it reads. So ask for pages that are shorter than that: one that reaches below the marks
/// does not end the way down.
pub trait ItemId:
    Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + sealed::Sealed
{
    /// Whether what is marked is as new as this.
    #[doc(hidden)]
    fn is_known(&self, marks: &[Self]) -> bool;

    /// Adds this to the marks. Pages come with the newest item first; `head` is the first of them.
    #[doc(hidden)]
    fn mark(&self, marks: &mut Vec<Self>, head: bool);
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u64 {}
    impl Sealed for i64 {}
    impl Sealed for String {}
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl ItemId for $number {
            fn is_known(&self, marks: &[Self]) -> bool {
                marks.iter().any(|newest| self <= newest)
            }

            // What comes below the head may have arrived after it was read, and others beside it
            // that were not read yet.
            fn mark(&self, marks: &mut Vec<Self>, head: bool) {
                match marks.first_mut() {
                    None => marks.push(*self),
                    Some(newest) if head => *newest = *self.max(newest),
                    Some(_) => {}
                }
            }
        }
    )*};
}

numbers! { u64 i64 }

impl ItemId for String {
    fn is_known(&self, marks: &[Self]) -> bool {
        marks.contains(self)
    }

    fn mark(&self, marks: &mut Vec<Self>, _: bool) {
        let size_bytes: usize = marks.iter().chain([self]).map(|id| encoded_len(id)).sum();
        let fits = marks.len() < caps::MAX_MARKS && size_bytes <= caps::MAX_MARKS_SIZE_BYTES;
        if fits && !marks.contains(self) {
            marks.push(self.clone());
        }
    }
}
