//! Tables within a page.

use std::{fs, path::Path};

use anyhow::Context as _;

/// Puts `text` into the page between two comments that name it.
///
/// # Errors
///
/// That the page cannot be read or written, or that it has no place for it.
pub fn write_between(page: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let before = fs::read_to_string(page).with_context(|| format!("{}", page.display()))?;
    let after = replaced(&before, name, text)
        .with_context(|| format!("{} has no place for {name}", page.display()))?;
    fs::write(page, after).with_context(|| format!("{}", page.display()))
}

fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- {name}: written by `measure` -->");
    let end = format!("<!-- end of {name} -->");
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    let text = text.trim_end();
    Some(format!("{before}{begin}\n\n{text}\n\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_is_replaced() {
        let page = "a\n<!-- plan: written by `measure` -->\nold\n<!-- end of plan -->\nb";
        let new = replaced(page, "plan", "new\n").unwrap();
        assert_eq!(
            new,
            "a\n<!-- plan: written by `measure` -->\n\nnew\n\n<!-- end of plan -->\nb"
        );
        assert_eq!(replaced(&new, "plan", "new"), Some(new.clone()));
        assert_eq!(replaced(page, "bill", "new"), None);
    }
}
