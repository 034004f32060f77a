//! What a poll left for the next, as people read it.

use maud::{Markup, html};
use polling_model::EncodedContext;
use serde_json::Value;

use crate::console::words::{number, plain};

/// Most of it that is shown, bytes.
const MAX_SHOWN_BYTES: usize = 16 * 1024;

pub(super) fn card(context: &EncodedContext) -> Markup {
    let size = context.size_bytes();
    let text = indented(context.as_str());
    let shown = &text[..text.floor_char_boundary(MAX_SHOWN_BYTES)];
    html! {
        section.card #context {
            h2 { "Context " small { (number(size as u64)) " bytes" } }
            pre.code tabindex="0" aria-label="Context" { (shown) }
            @if shown.len() < text.len() { p.meta { "Its beginning; " code { "pollctl job show" } " tells all of it." } }
        }
    }
}

/// One member a line; what is no JSON as it is. Of a large one the beginning is all that is read.
fn indented(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text);
    let indented = value.and_then(|value| serde_json::to_string_pretty(&value));
    let indented = indented.unwrap_or_else(|_| text.to_owned());
    plain(&indented).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_has_a_line_for_each_member_and_turns_no_writing() {
        let shown = indented(r#"{"name":"\u202eZo\u00eb","since_id":7}"#);
        assert_eq!(
            shown,
            "{\n  \"name\": \"\\u202eZoë\",\n  \"since_id\": 7\n}"
        );
    }

    #[test]
    fn of_a_large_context_the_beginning_is_shown() {
        let text = format!(
            "{{\"x\":\"{}\"}}",
            "é".repeat(20_000).replace('é', "\\u00e9")
        );
        let context = EncodedContext::new(&text).unwrap();
        let card = card(&context).into_string();
        assert!(card.len() < MAX_SHOWN_BYTES + 1_000);
        assert!(card.contains("tells all of it"));
    }
}
