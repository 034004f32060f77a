//! `Link` headers: where the other pages are.

use http::{HeaderMap, header};

use super::caps;

/// The target of the first link of relation `rel`, as it is written. What cannot be read is an
/// error: without it a page would pass for the last one, and those behind it be skipped.
pub(super) fn target<'a>(
    headers: &'a HeaderMap,
    rel: &str,
) -> Result<Option<&'a str>, &'static str> {
    for value in headers.get_all(header::LINK) {
        if value.len() > caps::MAX_HEADER_SIZE_BYTES {
            return Err("is too large");
        }
        let mut rest = str::from_utf8(value.as_bytes()).map_err(|_| "is no text")?;
        while let Some((_, from_target)) = rest.split_once('<') {
            let (target, others) = from_target.split_once('>').ok_or("breaks off in a link")?;
            let end = outside_quotes(others, ',').unwrap_or(others.len());
            let (parameters, others) = others.split_at(end);
            if has_relation(parameters, rel) {
                return Ok(Some(target));
            }
            rest = others;
        }
    }
    Ok(None)
}

/// Whether `;a=b; rel="next last"` has the relation.
fn has_relation(mut parameters: &str, rel: &str) -> bool {
    while let Some(start) = outside_quotes(parameters, ';') {
        parameters = &parameters[start + 1..];
        let end = outside_quotes(parameters, ';').unwrap_or(parameters.len());
        let Some((name, value)) = parameters[..end].split_once('=') else {
            continue;
        };
        if name.trim().eq_ignore_ascii_case("rel") {
            // The first counts.
            let relations = value.trim().trim_matches('"');
            return relations
                .split_ascii_whitespace()
                .any(|r| r.eq_ignore_ascii_case(rel));
        }
    }
    false
}

/// Where `wanted`, an ASCII character, first stands outside quotes.
fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == wanted && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let value = |value: &&str| (header::LINK, HeaderValue::from_str(value).unwrap());
        values.iter().map(value).collect()
    }

    #[test]
    fn links_are_found_by_their_relation() {
        let mastodon = headers(&[
            r#"<https://a.example/s?max_id=7>; rel="next", <https://a.example/s?min_id=9>; rel="prev""#,
        ]);
        let next = "https://a.example/s?max_id=7";
        assert_eq!(target(&mastodon, "next"), Ok(Some(next)));
        let prev = "https://a.example/s?min_id=9";
        assert_eq!(target(&mastodon, "prev"), Ok(Some(prev)));
        assert_eq!(target(&mastodon, "last"), Ok(None));
        let odd = headers(&[
            r#"</a,b;c>;title="x, <y>; rel=\"next\"" ; REL="last Prev""#,
            "</n>;rel=next",
        ]);
        assert_eq!(target(&odd, "prev"), Ok(Some("/a,b;c")));
        assert_eq!(target(&odd, "next"), Ok(Some("/n")));
    }

    #[test]
    fn nonsense_has_no_links() {
        for bad in [
            "",
            "<>",
            "a>; rel=next",
            "<a> rel=next",
            "<a>; rel",
            "<a>; rel=\"",
        ] {
            assert_eq!(target(&headers(&[bad]), "next"), Ok(None), "{bad}");
        }
        let many = "<a>; rel=prev, ".repeat(999) + "<b>; rel=next";
        assert_eq!(target(&headers(&[&many]), "next"), Ok(Some("b")));
    }

    #[test]
    fn what_may_hold_the_next_page_but_cannot_be_read_is_no_last_page() {
        for broken in ["<", "<a; rel=next", "<a>; rel=prev, <b"] {
            let broken = headers(&[broken]);
            assert_eq!(target(&broken, "next"), Err("breaks off in a link"));
        }
        let giant = "<a>,".repeat(caps::MAX_HEADER_SIZE_BYTES / 4 + 1);
        assert_eq!(target(&headers(&[&giant]), "next"), Err("is too large"));
    }

    proptest! {
        #[test]
        fn what_is_formatted_is_read_back(paths in prop::collection::vec("/[a-z0-9?=&,;]{0,20}", 1..9), at: prop::sample::Index) {
            let links: Vec<_> = paths.iter().enumerate().map(|(n, path)| format!("<{path}>; rel=\"r{n}\"")).collect();
            let at = at.index(paths.len());
            let headers = headers(&[&links.join(", ")]);
            prop_assert_eq!(target(&headers, &format!("r{at}")), Ok(Some(paths[at].as_str())));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let _ = target(&HeaderMap::from_iter([(header::LINK, value)]), "next");
            }
        }
    }
}
