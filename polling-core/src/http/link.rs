//! `Link` headers: where the other pages are.

use http::{HeaderMap, header};

use super::caps;

/// The target of the first link of relation `rel`, as it is written.
pub(super) fn target<'a>(headers: &'a HeaderMap, rel: &str) -> Option<&'a str> {
    let values = headers.get_all(header::LINK).into_iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let links = values.flat_map(Links).take(caps::MAX_LINKS);
    let mut of_rel = links.filter(|link| has_relation(link.parameters, rel));
    of_rel.next().map(|link| link.target)
}

struct Link<'a> {
    target: &'a str,
    parameters: &'a str,
}

/// What is left of a header's value.
struct Links<'a>(&'a str);

impl<'a> Iterator for Links<'a> {
    type Item = Link<'a>;

    fn next(&mut self) -> Option<Link<'a>> {
        let (_, from_target) = self.0.split_once('<')?;
        let (target, rest) = from_target.split_once('>')?;
        let (parameters, rest) = rest.split_at(outside_quotes(rest, ',').unwrap_or(rest.len()));
        self.0 = rest;
        Some(Link { target, parameters })
    }
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
        assert_eq!(
            target(&mastodon, "next"),
            Some("https://a.example/s?max_id=7")
        );
        assert_eq!(
            target(&mastodon, "prev"),
            Some("https://a.example/s?min_id=9")
        );
        assert_eq!(target(&mastodon, "last"), None);
        let odd = headers(&[
            r#"</a,b;c>;title="x, <y>; rel=\"next\"" ; REL="last Prev""#,
            "</n>;rel=next",
        ]);
        assert_eq!(target(&odd, "prev"), Some("/a,b;c"));
        assert_eq!(target(&odd, "next"), Some("/n"));
    }

    #[test]
    fn nonsense_has_no_links() {
        for bad in [
            "",
            "<",
            "<>",
            "<a",
            "a>; rel=next",
            "<a> rel=next",
            "<a>; rel",
            "<a>; rel=\"",
        ] {
            assert_eq!(target(&headers(&[bad]), "next"), None, "{bad}");
        }
        let many = "<a>; rel=prev, ".repeat(caps::MAX_LINKS) + "<b>; rel=next";
        assert_eq!(target(&headers(&[&many]), "next"), None);
    }

    proptest! {
        #[test]
        fn what_is_formatted_is_read_back(paths in prop::collection::vec("/[a-z0-9?=&,;]{0,20}", 1..9), at: prop::sample::Index) {
            let links: Vec<_> = paths.iter().enumerate().map(|(n, path)| format!("<{path}>; rel=\"r{n}\"")).collect();
            let at = at.index(paths.len());
            let headers = headers(&[&links.join(", ")]);
            prop_assert_eq!(target(&headers, &format!("r{at}")), Some(paths[at].as_str()));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let _ = target(&HeaderMap::from_iter([(header::LINK, value)]), "next");
            }
        }
    }
}
