//! All figures of a day, each the newest of its name.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use anyhow::Context as _;

use crate::figure::Figure;

/// Figures by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures(BTreeMap<String, Figure>);

impl Figures {
    /// Reads a file that [`write`](Self::write) wrote; without one there are none.
    ///
    /// # Errors
    ///
    /// That it cannot be read, or is none.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("{}", file.display())),
        };
        let figures: Vec<Figure> =
            serde_json::from_str(&text).with_context(|| format!("{}", file.display()))?;
        let mut all = Self::default();
        all.extend(figures);
        Ok(all)
    }

    /// Reads lines of JSON, as `measure` prints them.
    ///
    /// # Errors
    ///
    /// That a line is no figure.
    pub fn read_lines(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
        let mut all = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let figure = serde_json::from_str(line)
                .with_context(|| format!("{}: no figure: {line}", file.display()))?;
            all.extend([figure]);
        }
        Ok(all)
    }

    /// Writes them, sorted by name.
    ///
    /// # Errors
    ///
    /// That the file cannot be written.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let all: Vec<&Figure> = self.0.values().collect();
        let text = serde_json::to_string_pretty(&all)? + "\n";
        fs::write(file, text).with_context(|| format!("{}", file.display()))
    }

    /// Adds figures; of two of one name the newer stays.
    pub fn extend(&mut self, figures: impl IntoIterator<Item = Figure>) {
        for figure in figures {
            let newer = self.0.get(&figure.name);
            if newer.is_none_or(|known| known.at_ms <= figure.at_ms) {
                self.0.insert(figure.name.clone(), figure);
            }
        }
    }

    /// The figure of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Figure> {
        self.0.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.0.values()
    }
}

impl IntoIterator for Figures {
    type Item = Figure;
    type IntoIter = std::collections::btree_map::IntoValues<String, Figure>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_figures_of_one_name_the_newer_stays() {
        let at = |at_ms, value| Figure {
            at_ms,
            ..Figure::new("policy", value, "decisions/s")
        };
        let mut figures = Figures::default();
        figures.extend([at(2, 20.0), at(1, 10.0)]);
        assert_eq!(figures.get("policy").map(|figure| figure.value), Some(20.0));
        figures.extend([at(3, 30.0)]);
        assert_eq!(figures.get("policy").map(|figure| figure.value), Some(30.0));
    }
}
