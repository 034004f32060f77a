//! Which settings are dynamic, and where in the configuration each stands.

use toml::{Table, Value};

use super::{Fault, Key};

/// A setting that may change, or a family of them.
///
/// Parts in braces stand for any name that the static configuration has there: with the key
/// `{channel}/{job_type}/interval` and the path `channels.{channel}.job_types.{job_type}.interval`, the key
/// `mastodon/posts/interval` sets the interval of a job type that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    key: Vec<Part>,
    path: Vec<Part>,
    help: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Exactly(&'static str),
    Any(&'static str),
}

/// All settings of a program that may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    settings: Vec<Setting>,
    /// What other programs' keys begin with.
    left: Vec<Vec<Part>>,
}

impl Part {
    fn parse(text: &'static str) -> Self {
        match text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
        {
            Some(name) => Self::Any(name),
            None => Self::Exactly(text),
        }
    }

    fn fits(&self, segment: &str) -> bool {
        match self {
            Self::Exactly(text) => *text == segment,
            Self::Any(_) => true,
        }
    }
}

impl Setting {
    /// A setting with its key, its path in the configuration, and what it is for.
    ///
    /// # Panics
    ///
    /// When the path has a part in braces that the key has not.
    #[must_use]
    pub fn new(key: &'static str, path: &'static str, help: &'static str) -> Self {
        let key: Vec<_> = key.split('/').map(Part::parse).collect();
        let path: Vec<_> = path.split('.').map(Part::parse).collect();
        let unbound = path
            .iter()
            .find(|part| matches!(part, Part::Any(_)) && !key.contains(part));
        assert!(unbound.is_none(), "{unbound:?} is not in the key");
        Self { key, path, help }
    }

    /// What it is for.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// The path that a key of this family sets.
    fn path_of(&self, key: &Key) -> Option<Vec<String>> {
        let segments: Vec<_> = key.segments().collect();
        if segments.len() != self.key.len() {
            return None;
        }
        let mut parts = self.key.iter().zip(&segments);
        if !parts.all(|(part, segment)| part.fits(segment)) {
            return None;
        }
        let filled = |part: &Part| match part {
            Part::Exactly(text) => Some((*text).to_owned()),
            Part::Any(_) => {
                let at = self.key.iter().position(|of_key| of_key == part)?;
                Some(segments[at].to_owned())
            }
        };
        self.path.iter().map(filled).collect()
    }

    /// The keys of this family for which `base` has the tables that they are in.
    fn keys_in<'b>(&self, base: &'b Table) -> Vec<(String, Option<&'b Value>)> {
        let mut bound = Vec::new();
        let mut found = Vec::new();
        self.walk(0, Some(base), &mut bound, &mut found);
        found
    }

    fn walk<'b>(
        &self,
        depth: usize,
        table: Option<&'b Table>,
        bound: &mut Vec<(&'static str, &'b str)>,
        found: &mut Vec<(String, Option<&'b Value>)>,
    ) {
        let last = depth + 1 == self.path.len();
        match self.path[depth] {
            Part::Exactly(name) => {
                let value = table.and_then(|table| table.get(name));
                if last {
                    found.push((self.key_with(bound), value));
                } else {
                    self.walk(depth + 1, value.and_then(Value::as_table), bound, found);
                }
            }
            Part::Any(name) => {
                for (key, value) in table.into_iter().flatten() {
                    bound.push((name, key));
                    if last {
                        found.push((self.key_with(bound), Some(value)));
                    } else {
                        self.walk(depth + 1, value.as_table(), bound, found);
                    }
                    bound.pop();
                }
            }
        }
    }

    fn key_with(&self, bound: &[(&'static str, &str)]) -> String {
        let filled = self.key.iter().map(|part| match part {
            Part::Exactly(text) => *text,
            Part::Any(name) => {
                let found = bound.iter().find(|(known, _)| known == name);
                found.map_or(*name, |(_, value)| value)
            }
        });
        filled.collect::<Vec<_>>().join("/")
    }
}

impl Catalog {
    /// Of these. Where two fit a key, the first counts.
    #[must_use]
    pub const fn new(settings: Vec<Setting>) -> Self {
        Self {
            settings,
            left: Vec::new(),
        }
    }

    /// Passes over the keys below these, which other programs read from the same source: `alerts`, or
    /// `{channel}/{job_type}/worker`.
    #[must_use]
    pub fn leaving(mut self, areas: impl IntoIterator<Item = &'static str>) -> Self {
        let areas = areas.into_iter();
        self.left
            .extend(areas.map(|area| area.split('/').map(Part::parse).collect()));
        self
    }

    /// Whether another program reads this key.
    #[must_use]
    pub fn leaves(&self, key: &str) -> bool {
        let segments: Vec<_> = key.split('/').collect();
        let within = |area: &Vec<Part>| {
            let mut parts = area.iter().zip(&segments);
            segments.len() > area.len() && parts.all(|(part, segment)| part.fits(segment))
        };
        self.left.iter().any(within)
    }

    /// The setting that a key names, and its path in the configuration.
    ///
    /// # Errors
    ///
    /// That there is none, or that `base` has no table of the name that the key has.
    pub(super) fn path_of(&self, key: &Key, base: &Table) -> Result<Vec<String>, Fault> {
        let mut missing = None;
        for setting in &self.settings {
            let Some(path) = setting.path_of(key) else {
                continue;
            };
            match setting.first_missing(&path, base) {
                None => return Ok(path),
                Some(depth) => missing = missing.or(Some(path[..=depth].to_vec())),
            }
        }
        let fault = match missing {
            Some(path) => Fault::at(path, "this is not in the static configuration"),
            None => Fault::at(
                Vec::<String>::new(),
                "no setting that may change has this key",
            ),
        };
        Err(fault)
    }

    /// Every key that could be set over `base`, sorted, with its setting and its static value if it has one.
    #[must_use]
    pub fn keys_in<'a>(&'a self, base: &'a Table) -> Vec<(Key, &'a Setting, Option<&'a Value>)> {
        let of = |setting: &'a Setting| {
            let found = setting.keys_in(base).into_iter();
            found.filter_map(move |(key, value)| Some((Key::new(&key).ok()?, setting, value)))
        };
        let mut keys: Vec<_> = self.settings.iter().flat_map(of).collect();
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        keys.dedup_by(|a, b| a.0 == b.0);
        keys
    }
}

impl Setting {
    /// The depth of the first name in braces that `base` has not.
    fn first_missing(&self, path: &[String], base: &Table) -> Option<usize> {
        let mut table = Some(base);
        for (depth, (part, name)) in self.path.iter().zip(path).enumerate() {
            let value = table.and_then(|table| table.get(name));
            if matches!(part, Part::Any(_)) && value.is_none() {
                return Some(depth);
            }
            table = value.and_then(Value::as_table);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        Catalog::new(vec![
            Setting::new("{channel}/tick", "channels.{channel}.limits.tick", ""),
            Setting::new(
                "{channel}/{job_type}/interval",
                "channels.{channel}.job_types.{job_type}.interval",
                "",
            ),
        ])
    }

    fn base() -> Table {
        "[channels.mastodon.job_types.posts]\ninterval = '5m'\n[channels.x.job_types.y]\n"
            .parse()
            .unwrap()
    }

    #[test]
    fn a_key_names_a_place_in_tables_that_there_are() {
        let path = |key: &str| catalog().path_of(&key.parse().unwrap(), &base());
        assert_eq!(
            path("mastodon/posts/interval").unwrap().join("."),
            "channels.mastodon.job_types.posts.interval"
        );
        assert_eq!(
            path("mastodon/tick").unwrap().join("."),
            "channels.mastodon.limits.tick"
        );
        assert_eq!(
            path("mastodon/likes/interval").unwrap_err().to_string(),
            "channels.mastodon.job_types.likes: this is not in the static configuration"
        );
        assert_eq!(
            path("mastodon/posts/colour").unwrap_err().to_string(),
            "no setting that may change has this key"
        );
    }

    #[test]
    fn all_keys_are_known_with_their_static_values() {
        let (catalog, base) = (catalog(), base());
        let keys = catalog.keys_in(&base).into_iter();
        let keys: Vec<_> = keys
            .map(|(key, _, value)| (key.to_string(), value.and_then(Value::as_str)))
            .collect();
        assert_eq!(
            keys,
            [
                ("mastodon/posts/interval".to_owned(), Some("5m")),
                ("mastodon/tick".to_owned(), None),
                ("x/tick".to_owned(), None),
                ("x/y/interval".to_owned(), None),
            ]
        );
    }

    #[test]
    fn keys_of_other_programs_are_known_by_what_they_begin_with() {
        let catalog = catalog().leaving(["alerts", "{channel}/{job_type}/worker"]);
        let cases = [
            ("alerts/freshness/burn", true),
            ("mastodon/posts/worker/concurrency", true),
            ("mastodon/posts/worker/http/timeout", true),
            ("alerts", false),
            ("mastodon/posts/worker", false),
            ("mastodon/alerts/interval", false),
            ("mastodon/posts/interval", false),
        ];
        for (key, leaves) in cases {
            assert_eq!(catalog.leaves(key), leaves, "{key}");
        }
    }

    #[test]
    #[should_panic(expected = "is not in the key")]
    fn a_path_needs_what_the_key_gives() {
        let _ = Setting::new("interval", "channels.{channel}.interval", "");
    }
}
