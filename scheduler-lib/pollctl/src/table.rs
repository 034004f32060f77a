//! Tables for people: columns as wide as they need to be.

use std::io::{self, Write};

/// How a cell shows on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Plain,
    Bold,
    Good,
    Doubtful,
    Bad,
}

impl Colour {
    /// `text` between the terminal's codes, if it takes them.
    pub(crate) fn paint(self, text: &str, colours: bool) -> String {
        let code = match self {
            Self::Bold => "1",
            Self::Good => "32",
            Self::Doubtful => "33",
            Self::Bad => "31",
            Self::Plain => return text.to_owned(),
        };
        match colours {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

/// One field of a row.
#[derive(Debug)]
pub(crate) struct Cell {
    text: String,
    colour: Colour,
    right: bool,
}

impl Cell {
    /// On the right, as figures are.
    pub(crate) fn number(text: impl Into<String>) -> Self {
        Self {
            right: true,
            ..Self::from(text.into())
        }
    }

    pub(crate) fn colour(mut self, colour: Colour) -> Self {
        self.colour = colour;
        self
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        // What the server says must not move the cursor.
        let text = text.replace(|c: char| c.is_control(), " ");
        Self {
            text,
            colour: Colour::Plain,
            right: false,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Rows under a head.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        let head = head.map(|name| Cell::from(name).colour(Colour::Bold));
        Self {
            rows: vec![head.into()],
        }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// Whether there is nothing but the head.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    pub(crate) fn write(&self, out: &mut dyn Write, colours: bool) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            cells
                .map(|cell| cell.text.chars().count())
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        // A head stands above its figures.
        let is_figure = |at: usize| {
            let first = self.rows.get(1).and_then(|row| row.get(at));
            first.is_some_and(|cell| cell.right)
        };
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            let last = row.iter().rposition(|cell| !cell.text.is_empty());
            for (at, cell) in row.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
                let gap = " ".repeat(widths[at] - cell.text.chars().count());
                let text = cell.colour.paint(&cell.text, colours);
                let end = if Some(at) == last { "" } else { "  " };
                let right = cell.right || (number == 0 && is_figure(at));
                line += &match (right, end) {
                    (true, _) => format!("{gap}{text}{end}"),
                    (false, "") => text,
                    (false, _) => format!("{text}{gap}{end}"),
                };
            }
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["QUEUE", "DEPTH"]);
        table.row(["posts".into(), Cell::number("12")]);
        table.row([
            Cell::from("x\u{1b}[2J").colour(Colour::Bad),
            Cell::number("1,234,567"),
        ]);
        table
    }

    fn written(colours: bool) -> String {
        let mut out = Vec::new();
        table().write(&mut out, colours).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_aligned_and_control_characters_are_left_out() {
        assert_eq!(
            written(false),
            "QUEUE      DEPTH\nposts         12\nx [2J  1,234,567\n"
        );
    }

    #[test]
    fn colours_change_no_width() {
        let coloured = written(true);
        assert!(
            coloured.contains("\u{1b}[31mx [2J\u{1b}[0m  1,234,567"),
            "{coloured:?}"
        );
    }
}
