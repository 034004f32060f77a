//! The command that sets a number of workers.

use std::{process::Stdio, str::FromStr, time::Duration};

use tokio::process::Command;

use crate::suggest;

/// How often it is called that fails.
const TRIES: u32 = 3;

/// Pause before the second call; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Most of a command's own words in a note, in characters.
const MAX_SAID: usize = 300;

/// What words of a command may stand for.
const NAMES: [&str; 3] = ["workers", "job_type", "channel"];

/// A program and its arguments, in which names in braces stand for values.
#[derive(Debug, Clone)]
pub(super) struct Exec(Vec<String>);

/// The values.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) channel: &'a str,
    pub(super) job_type: &'a str,
    pub(super) workers: u32,
}

impl FromStr for Exec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = words(text)?;
        if words.is_empty() {
            return Err("it names no program".to_owned());
        }
        for word in &words {
            for named in word
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split_once('}'))
            {
                if !NAMES.contains(&named.0) {
                    let hint = suggest::nearest(named.0, NAMES);
                    let hint =
                        hint.map_or_else(String::new, |name| format!(": did you mean {{{name}}}?"));
                    return Err(format!("{{{}}} stands for nothing{hint}", named.0));
                }
            }
        }
        Ok(Self(words))
    }
}

impl Exec {
    /// Calls it until it succeeds, a few times; what the last call said.
    pub(super) async fn call(&self, named: &Named<'_>, deadline: Duration) -> Result<(), String> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            if self.call_once(named, deadline).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.call_once(named, deadline).await
    }

    async fn call_once(&self, named: &Named<'_>, deadline: Duration) -> Result<(), String> {
        let words = self.filled(named);
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let ended = tokio::time::timeout(deadline, command.output()).await;
        let ended = ended.map_err(|_| format!("{} did not end in time", words[0]))?;
        let ended = ended.map_err(|error| format!("{} cannot be started: {error}", words[0]))?;
        if ended.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&ended.stderr);
        let said = said.trim().chars().take(MAX_SAID);
        let said: String = said.map(|c| if c.is_control() { ' ' } else { c }).collect();
        Err(format!("{} ended with {}: {said}", words[0], ended.status))
    }

    /// Each word by itself: a value never becomes two words, nor is read again.
    fn filled(&self, named: &Named<'_>) -> Vec<String> {
        let fill = |word: &String| {
            let mut parts = word.split('{');
            let mut filled = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                match part.split_once('}') {
                    Some((name, rest)) => filled += &(named.value(name) + rest),
                    None => filled += &format!("{{{part}"),
                }
            }
            filled
        };
        self.0.iter().map(fill).collect()
    }
}

impl Named<'_> {
    /// Of a name that was looked at when the command was read.
    fn value(&self, name: &str) -> String {
        match name {
            "workers" => self.workers.to_string(),
            "job_type" => self.job_type.to_owned(),
            _ => self.channel.to_owned(),
        }
    }
}

/// Splits at spaces; what is between quotes is kept as it is.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    match quote {
        Some(open) => Err(format!("a {open} is not closed")),
        None => {
            words.extend(word);
            Ok(words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: Named<'_> = Named {
        channel: "mastodon",
        job_type: "a b; rm {workers} $(x)",
        workers: 7,
    };

    fn filled(text: &str) -> Vec<String> {
        text.parse::<Exec>().unwrap().filled(&NAMED)
    }

    #[test]
    fn values_are_put_into_words_and_split_none() {
        assert_eq!(
            filled("scale '--to={workers}' \"x {job_type}\"  {channel}{workers} {"),
            [
                "scale",
                "--to=7",
                "x a b; rm {workers} $(x)",
                "mastodon7",
                "{"
            ]
        );
        assert_eq!(filled("a '' b"), ["a", "", "b"]);
    }

    #[test]
    fn a_command_that_is_none_is_refused() {
        for (text, told) in [
            ("", "names no program"),
            ("  ", "names no program"),
            ("a 'b", "' is not closed"),
            ("a {worker}", "did you mean {workers}?"),
            ("a {}", "stands for nothing"),
        ] {
            let error = text.parse::<Exec>().unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
