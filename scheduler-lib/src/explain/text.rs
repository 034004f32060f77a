//! The story in words.

use std::fmt;

use polling_model::ScopeKey;

use super::{
    Configured, Explanation, LimitNow, Rules, Whereabouts, WindowNow,
    time::{both, clock, full, length},
};
use crate::{policy::Override, store::Hold};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, now_ms, .. } = self;
        writeln!(f, "Job {id} at {}", full(*now_ms))?;
        writeln!(
            f,
            "It polls {} for account {}, at service level {}.",
            self.job_type, self.account, self.level
        )?;
        self.where_it_is(f)?;
        self.how_often(f)?;
        self.what_happened(f)?;
        self.its_limits(f)?;
        heading(f, "What you can do")?;
        if self.advice.is_empty() {
            writeln!(f, "  Nothing is wrong with it.")?;
        }
        for advice in &self.advice {
            writeln!(f, "  - {advice}")?;
        }
        Ok(())
    }
}

fn heading(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    writeln!(f, "\n{text}")
}

impl Explanation {
    fn where_it_is(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        heading(f, "Where it is")?;
        let now_ms = self.now_ms;
        match self.place {
            Whereabouts::Waits { due_ms } if due_ms <= now_ms => {
                writeln!(
                    f,
                    "  Its turn has come: due since {}.",
                    both(due_ms, now_ms)
                )?;
            }
            Whereabouts::Waits { due_ms } => {
                writeln!(
                    f,
                    "  It waits; its next poll is due at {}.",
                    both(due_ms, now_ms)
                )?;
            }
            Whereabouts::InFlight { due_ms, until_ms } => {
                let (due, until) = (both(due_ms, now_ms), both(until_ms, now_ms));
                writeln!(
                    f,
                    "  It is being polled: it was due at {due}, and has been with the workers since."
                )?;
                writeln!(f, "  Without an answer until {until} it gets another turn.")?;
            }
            Whereabouts::Held { hold, .. } => writeln!(f, "  {}", held(hold))?,
        }
        if let Whereabouts::Held {
            poll_under_way: true,
            ..
        } = self.place
        {
            writeln!(f, "  A poll was under way by then: what it brings is kept.")?;
        }
        if self.again_at_once {
            writeln!(
                f,
                "  Somebody asked for a poll meanwhile: it comes again at once."
            )?;
        }
        let Some(newest) = self.reasons.first() else {
            return Ok(());
        };
        let why = match self.place {
            Whereabouts::InFlight { .. } => "Why it was due",
            _ => "Why",
        };
        writeln!(f, "  {why}: {}.", newest.text)
    }

    fn how_often(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        heading(f, "How often it is polled")?;
        match &self.rules {
            Some(rules) => rules.tell(f)?,
            None => writeln!(
                f,
                "  Not known: the channel has no rules for {}.",
                self.job_type
            )?,
        }
        match self.pace {
            Some(Override::Pin { .. }) => writeln!(
                f,
                "  Somebody pinned it to this interval: it comes whatever a poll is worth."
            )?,
            Some(Override::Boost { factor, until_ms }) => {
                let until = both(until_ms, self.now_ms);
                writeln!(
                    f,
                    "  Somebody boosted it until {until}: its delay counts {factor} times what it would."
                )?;
            }
            None => {}
        }
        match self.polled_ms {
            Some(polled_ms) => {
                let how = match self.failed_polls {
                    0 => "succeeded".to_owned(),
                    1 => "failed".to_owned(),
                    many => format!("failed, like {} before it", many - 1),
                };
                writeln!(
                    f,
                    "  The last poll ended at {} and {how}.",
                    both(polled_ms, self.now_ms)
                )
            }
            None => writeln!(f, "  No poll has ended yet."),
        }
    }

    fn what_happened(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        heading(f, "What happened, newest first")?;
        for because in &self.reasons {
            match because.at_ms {
                Some(at_ms) => writeln!(f, "  {}: {}", both(at_ms, self.now_ms), because.text)?,
                None => writeln!(f, "  time not kept: {}", because.text)?,
            }
        }
        Ok(())
    }

    fn its_limits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        heading(f, "The limits its calls count in")?;
        if self.limits_unknown.is_some() {
            return writeln!(f, "  Not known now.");
        }
        if self.limits.is_empty() {
            return writeln!(f, "  None that is known.");
        }
        for limit in &self.limits {
            limit.tell(f, self.now_ms)?;
        }
        Ok(())
    }
}

const fn held(hold: Hold) -> &'static str {
    match hold {
        Hold::Paused => "It is paused: nobody polls it until it is resumed.",
        Hold::Parked => {
            "It is parked, since what it polls seems to be gone: nobody polls it until it is resumed."
        }
        Hold::Quarantined => {
            "It is in quarantine, since workers never finish it: nobody polls it until it is resumed."
        }
        Hold::Refused => {
            "It is held, since it cannot be sent to workers: nobody polls it until it is resumed."
        }
    }
}

impl Rules {
    fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interval = length(self.interval_ms);
        match self.adaptive {
            true => write!(
                f,
                "  When a poll saves the most delay, every {interval} at most"
            )?,
            false => write!(f, "  Every {interval}")?,
        }
        if let Some(max_age_ms) = self.max_age_ms.filter(|age_ms| *age_ms > self.interval_ms) {
            write!(f, ", and at least every {}", length(max_age_ms))?;
        }
        match self.weight {
            1.0 => writeln!(f, ".")?,
            weight => writeln!(f, ". A minute of its delay counts {weight} times.")?,
        }
        match self.worth_minutes {
            Some(worth) => write!(f, "  A poll now is worth {} of saved delay", minutes(worth))?,
            None => write!(
                f,
                "  Its next poll goes before others, whatever it is worth"
            )?,
        }
        match self.price_minutes {
            Some(price) if price > 0.0 => writeln!(
                f,
                "; calls are scarce, and each has to be worth {}.",
                minutes(price)
            ),
            _ => writeln!(f, "."),
        }
    }
}

impl LimitNow {
    fn tell(&self, f: &mut fmt::Formatter<'_>, now_ms: i64) -> fmt::Result {
        let scope = &self.scope;
        if let Some(until_ms) = self.refused_until_ms {
            writeln!(
                f,
                "  {scope}: the channel refuses calls until {}.",
                both(until_ms, now_ms)
            )?;
        }
        if self.windows.is_empty() && self.refused_until_ms.is_none() {
            match self.configured {
                Some(Configured { calls, window_ms }) => writeln!(
                    f,
                    "  {scope}: {calls} calls per {} by its rules; none was made of late.",
                    length(window_ms)
                )?,
                None => writeln!(
                    f,
                    "  {scope}: the channel has not told how many calls are left."
                )?,
            }
        }
        for window in &self.windows {
            window.tell(f, scope, now_ms)?;
        }
        Ok(())
    }
}

impl WindowNow {
    fn tell(&self, f: &mut fmt::Formatter<'_>, scope: &ScopeKey, now_ms: i64) -> fmt::Result {
        let Self {
            limit,
            left,
            cushion,
            ..
        } = self;
        write!(
            f,
            "  {scope}: {left} of {limit} calls per {} left",
            length(self.length_ms)
        )?;
        if *cushion > 0 {
            write!(f, ", {cushion} of them for others (its cushion)")?;
        }
        let ends = clock(self.ends_ms, now_ms);
        writeln!(
            f,
            "; full again at {ends} (in {}).",
            length(self.ends_ms.saturating_sub(now_ms))
        )
    }
}

/// Minutes as the reasons write them.
fn minutes(minutes: f64) -> String {
    match minutes {
        0.0..10.0 => format!("{minutes:.2} min"),
        _ => format!("{minutes:.0} min"),
    }
}
