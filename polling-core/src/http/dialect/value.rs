//! Numbers, as servers write them.

use super::super::caps;

/// Why a text was not read.
pub(super) type Fault = &'static str;

/// A number: whole, decimal, or negative.
pub(super) fn number(text: &str) -> Result<f64, Fault> {
    let number: f64 = text.trim().parse().map_err(|_| "is no number")?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err("is no finite number")
    }
}

/// Calls that are left. Part of a call is none; less than none is none.
pub(super) fn calls_left(number: f64) -> u64 {
    // A float is cast to the nearest that fits.
    (number.floor() as u64).min(caps::MAX_CALLS)
}

/// Calls that were used. Part of a call is one.
pub(super) fn calls_used(number: f64) -> u64 {
    (number.ceil() as u64).min(caps::MAX_CALLS)
}

/// Calls per window.
pub(super) fn limit(number: f64) -> Result<u64, Fault> {
    if number < 0.0 {
        return Err("is negative, which no limit can be");
    }
    Ok(calls_left(number))
}

/// Milliseconds of a number of seconds; what does not fit becomes the nearest that does.
pub(super) fn ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_rounded_to_the_safe_side() {
        let read = |text| number(text).unwrap();
        assert_eq!(calls_left(read("988.0")), 988);
        assert_eq!(calls_left(read(" 0.9 ")), 0);
        assert_eq!(calls_used(read("0.1")), 1);
        assert_eq!(ms(read("0.65")), 650);
    }

    #[test]
    fn absurd_numbers_are_clamped_or_refused() {
        assert_eq!(calls_left(number("-7").unwrap()), 0);
        assert_eq!(
            calls_left(number("99999999999999999999").unwrap()),
            caps::MAX_CALLS
        );
        assert_eq!(ms(1e300), i64::MAX);
        assert!(limit(-1.0).is_err());
        for bad in ["", "NaN", "inf", "1e999", "soon", "1 2", "0x10"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }
}
