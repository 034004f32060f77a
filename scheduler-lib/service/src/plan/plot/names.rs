//! Names beside curves and above lines, none upon another.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{Area, Drawn};

/// Height of a line of text.
const LINE: i32 = 18;

/// About how wide a letter is.
const LETTER: f64 = 6.6;

/// Lines above the curves.
const LINES: usize = 4;

/// A text, and where what it names is, in pixels.
pub(super) struct Name {
    pub(super) at: (i32, i32),
    pub(super) text: String,
    pub(super) color: RGBColor,
}

/// Right of the ends of curves, pushed apart where they are close.
pub(super) fn beside(root: &Area<'_>, mut names: Vec<Name>) -> Drawn {
    names.sort_by_key(|name| name.at.1);
    let mut free = 0;
    for name in &names {
        let height = name.at.1.max(free);
        free = height + LINE;
        let style = style(name).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw_text(&name.text, &style, (name.at.0 + 10, height))?;
    }
    Ok(())
}

/// Above lines, beginning at each, on the lowest line of text that has room.
pub(super) fn above(root: &Area<'_>, mut names: Vec<Name>) -> Drawn {
    names.sort_by_key(|name| name.at.0);
    let mut ends = [i32::MIN; LINES];
    for name in &names {
        let free = ends.iter().position(|end| *end < name.at.0);
        let line = free.unwrap_or(LINES - 1);
        ends[line] = name.at.0 + (name.text.chars().count() as f64 * LETTER) as i32 + 12;
        let height = name.at.1 - 4 - LINE * line as i32;
        let stalk = vec![(name.at.0, name.at.1), (name.at.0, height - 10)];
        root.draw(&PathElement::new(stalk, name.color.stroke_width(1)))?;
        let style = style(name).pos(Pos::new(HPos::Left, VPos::Bottom));
        root.draw_text(&name.text, &style, (name.at.0 + 5, height))?;
    }
    Ok(())
}

fn style(name: &Name) -> TextStyle<'_> {
    let font = FontDesc::new(FontFamily::SansSerif, 13.0, FontStyle::Normal);
    TextStyle::from(font).color(&name.color)
}
