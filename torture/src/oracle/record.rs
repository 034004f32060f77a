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
    /// Reads the words: place, due, deadline, generation, nonce, revision, incarnation, strikes,
    /// attempts, settled, run now, type, account, level, cushion, pace, scopes, activity, reasons,
    /// each of these a line of its time and its words.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<_> = text.splitn(19, ' ').collect();
        let [
            place,
            due,
            deadline,
            generation,
            nonce,
            _,
            incarnation,
            strikes,
            _,
            settled,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            reasons,
        ] = words[..]
        else {
            return None;
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
        let text = "f 1700000000000 1700000036000 7 9c2 3 ab1 0 0 1699999999000 0 posts 42 default - - ,app - - run now\n1700000000000 registered";
        let record = Record::parse(text).unwrap();
        assert_eq!(record.place, Place::InFlight);
        assert_eq!(
            (record.generation, record.nonce.as_deref()),
            (7, Some("9c2"))
        );
        assert_eq!(record.reason, "run now");
        let spent = text.replace(" 9c2 ", " - ");
        assert_eq!(Record::parse(&spent).unwrap().nonce, None);
        assert_eq!(Record::parse("f 1 2"), None);
    }
}
