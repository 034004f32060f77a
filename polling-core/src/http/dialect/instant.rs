//! Points in time, as servers write them.

use std::time::UNIX_EPOCH;

use time::{OffsetDateTime, PrimitiveDateTime, format_description::well_known::Iso8601};

/// UTC milliseconds of an HTTP date or an ISO 8601 instant, both with the liberties that servers
/// take: `UTC` for `GMT`, a blank for the `T`, no zone at all, which is UTC.
///
/// ```
/// use polling_core::http::dialect::instant_ms;
///
/// assert_eq!(instant_ms("2022-05-07T15:10:40.250+02:00"), Some(1_651_929_040_250));
/// assert_eq!(instant_ms("yesterday"), None);
/// ```
#[must_use]
pub fn instant_ms(text: &str) -> Option<i64> {
    http_date_ms(text).or_else(|| iso_ms(text))
}

fn http_date_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let named = ["UTC", "UT", "Z", "+0000", "+00:00"];
    let zoneless = named.iter().find_map(|zone| text.strip_suffix(zone));
    let instant = match zoneless.and_then(|rest| rest.strip_suffix(' ')) {
        Some(rest) => httpdate::parse_http_date(&format!("{rest} GMT")),
        None => httpdate::parse_http_date(text),
    };
    let since_epoch = instant.ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_millis()).ok()
}

fn iso_ms(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_uppercase();
    let text = text
        .strip_suffix("UTC")
        .or_else(|| text.strip_suffix("GMT"))
        .map_or_else(|| text.clone(), |rest| format!("{}Z", rest.trim_end()));
    let mut text = text.replacen(' ', "T", 1).replace(' ', "");
    if text.contains(':') && has_bare_offset(&text) {
        // The separators of ISO 8601 stand everywhere or nowhere; not everyone knows.
        text.insert(text.len() - 2, ':');
    }
    let instant = OffsetDateTime::parse(&text, &Iso8601::DEFAULT).or_else(|_| {
        PrimitiveDateTime::parse(&text, &Iso8601::DEFAULT).map(PrimitiveDateTime::assume_utc)
    });
    i64::try_from(instant.ok()?.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

/// Whether it ends like `+0200`.
fn has_bare_offset(text: &str) -> bool {
    let Some((_, [sign, digits @ ..])) = text.as_bytes().split_last_chunk::<5>() else {
        return false;
    };
    matches!(sign, b'+' | b'-') && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::format_description::well_known::Rfc3339;

    use super::*;

    #[test]
    fn one_instant_is_read_however_it_is_written() {
        for text in [
            "Sat, 07 May 2022 13:10:40 GMT",
            "Sat, 07 May 2022 13:10:40 UTC",
            "Sat, 07 May 2022 13:10:40 +0000",
            "Saturday, 07-May-22 13:10:40 GMT",
            "Sat May  7 13:10:40 2022",
            "2022-05-07T13:10:40Z",
            "2022-05-07T13:10:40.000000Z",
            "2022-05-07t13:10:40z",
            "2022-05-07T15:10:40+02:00",
            "2022-05-07 15:10:40 +02:00",
            "2022-05-07T13:10:40+0000",
            "2022-05-07T08:10:40.0-0500",
            "2022-05-07 13:10:40 UTC",
            "2022-05-07T13:10:40",
            "20220507T131040Z",
            "  2022-05-07 13:10:40  ",
        ] {
            assert_eq!(instant_ms(text), Some(1_651_929_040_000), "{text}");
        }
        assert_eq!(instant_ms("2022-05-07T13:10Z"), Some(1_651_929_000_000));
        assert_eq!(
            instant_ms("2026-08-01T13:55:00.573789Z"),
            Some(1_785_592_500_573)
        );
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for bad in [
            "",
            "Z",
            " UTC",
            "soon",
            "2022-13-07T13:10:40Z",
            "2022-05-07T25:10:40Z",
            "Sat",
        ] {
            assert_eq!(instant_ms(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_formatted_is_read_back(at_s in 0..253_402_300_800i64) {
            let instant = OffsetDateTime::from_unix_timestamp(at_s).unwrap();
            let iso = instant.format(&Rfc3339).unwrap();
            prop_assert_eq!(instant_ms(&iso), Some(at_s * 1000));
            let http = httpdate::fmt_http_date(instant.into());
            prop_assert_eq!(instant_ms(&http), Some(at_s * 1000));
        }

        #[test]
        fn arbitrary_text_never_panics(text: String) {
            let _ = instant_ms(&text);
        }
    }
}
