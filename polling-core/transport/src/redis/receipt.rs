//! What a receipt says.

use crate::queue::Receipt;

/// One delivery of one message: valid until the message is received again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    /// The stream's id of the message.
    pub(super) id: String,
    /// How often it had been received, from 1.
    pub(super) receives: u32,
}

impl Delivery {
    /// Nearly all messages are received once: their receipt is the id alone.
    pub(super) fn to_receipt(&self) -> Receipt {
        Receipt(match self.receives {
            1 => self.id.clone(),
            receives => format!("{}/{receives}", self.id),
        })
    }

    /// `None` for what no such queue has issued; such a receipt is as good as stale. One word that
    /// the server does not take for an id would fail a whole batch.
    pub(super) fn of(receipt: &Receipt) -> Option<Self> {
        let (id, receives) = match receipt.0.split_once('/') {
            Some((id, receives)) => (id, receives.parse().ok()?),
            None => (receipt.0.as_str(), 1),
        };
        let (ms, number) = id.split_once('-')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let numbers = digits(ms) && digits(number);
        if !numbers || ms.parse::<u64>().is_err() || number.parse::<u64>().is_err() {
            return None;
        }
        Some(Self {
            id: id.to_owned(),
            receives,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_names_its_delivery() {
        for receives in [1, 2, 77] {
            let delivery = Delivery {
                id: "1700000000000-3".to_owned(),
                receives,
            };
            assert_eq!(Delivery::of(&delivery.to_receipt()), Some(delivery));
        }
    }

    #[test]
    fn what_is_no_receipt_of_ours_is_none() {
        let huge = "99999999999999999999999-0";
        for text in [
            "", "x", "1", "1-", "-1", "1-1/", "1-1/x", "1-1 2", "+1-1", huge, "1-1/-1",
        ] {
            assert_eq!(Delivery::of(&Receipt(text.to_owned())), None, "{text:?}");
        }
    }
}
