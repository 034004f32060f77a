//! A job's record as Redis keeps it: words in a fixed order, the reasons last.

/// What the oracles read of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where the job is.
    pub place: Place,
    /// When it is due, UTC milliseconds.
    pub due_ms: i64,
    /// The deadline of its time in flight, UTC milliseconds.
    pub deadline_ms: i64,
    /// How often its incarnation was drained.
    pub generation: u64,
    /// The token's nonce; none once the token was accepted, and before the first drain.
    pub nonce: Option<String>,
    /// Which life of the job.
    pub incarnation: String,
    /// Dead letters in a row.
    pub strikes: u64,
    /// When its last completion was accepted, UTC milliseconds.
    pub settled_ms: i64,
    /// Why it is where it is: the newest of its reasons.
    pub reason: String,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In a slot.
    Slot,
    /// Dispatched.
    InFlight,
    /// Due beyond the ring.
    Later,
    /// Paused by a client.
    Paused,
    /// Held by a rule.
    Parked,
    /// Held after too many dead letters.
    Quarantined,
    /// Held since its message cannot be sent.
    Refused,
}

impl Place {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "s" => Self::Slot,
            "f" => Self::InFlight,
            "l" => Self::Later,
            "p" => Self::Paused,
            "k" => Self::Parked,
            "q" => Self::Quarantined,
            "x" => Self::Refused,
            _ => return None,
        })
    }

    /// Whether the job waits for somebody to release it.
    #[must_use]
    pub const fn is_held(self) -> bool {
        !matches!(self, Self::Slot | Self::InFlight | Self::Later)
    }
}

impl Record {
    /// Reads the text: the size of the head, and in this the words place, due, deadline, generation,
    /// nonce, incarnation, settled, type, account, level, then `-`, or `+` and revision, strikes,
    /// attempts, run now, cushion, pace, scopes, activity; then the reasons, each a line of its time
    /// and its words. The context follows the head.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (size, rest) = text.split_once(' ')?;
        let head = rest.get(..size.parse().ok()?)?;
        let words: Vec<_> = head.splitn(12, ' ').collect();
        let [
            place,
            due,
            deadline,
            generation,
            nonce,
            incarnation,
            settled,
            _,
            _,
            _,
            more,
            rest,
        ] = words[..]
        else {
            return None;
        };
        let (strikes, reasons) = match more {
            "-" => ("0", rest),
            "+" => {
                let rare: Vec<_> = rest.splitn(9, ' ').collect();
                (*rare.get(1)?, *rare.get(8)?)
            }
            _ => return None,
        };
        let newest = reasons.lines().next().unwrap_or_default();
        let (_, reason) = newest.split_once(' ').unwrap_or_default();
        Some(Self {
            place: Place::parse(place)?,
            due_ms: due.parse::<f64>().ok()? as i64,
            deadline_ms: deadline.parse::<f64>().ok()? as i64,
            generation: generation.parse().ok()?,
            nonce: (nonce != "-").then(|| nonce.to_owned()),
            incarnation: incarnation.to_owned(),
            strikes: strikes.parse().ok()?,
            settled_ms: settled.parse::<f64>().ok()? as i64,
            reason: reason.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read() {
        let read = |head: &str| Record::parse(&format!("{} {head}{{}}", head.len())).unwrap();
        let head = "f 1700000000000 1700000036000 7 9c2 ab1 1699999999000 posts 42 default + 3 2 0 0 - - ,app - - run now\n1700000000000 registered";
        let record = read(head);
        assert_eq!(record.place, Place::InFlight);
        assert_eq!(
            (record.generation, record.nonce.as_deref(), record.strikes),
            (7, Some("9c2"), 2)
        );
        assert_eq!(record.reason, "run now");
        assert_eq!(read(&head.replace(" 9c2 ", " - ")).nonce, None);
        let common = read("s 1 0 0 - a 0 posts = default - - registered");
        assert_eq!((common.place, common.strikes), (Place::Slot, 0));
        assert_eq!(common.reason, "registered");
        assert_eq!(Record::parse("f 1 2"), None);
    }
}
