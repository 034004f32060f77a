use std::{collections::BTreeMap, fs, sync::Arc};

use polling_model::{Generator, ManualClock};

use super::super::{
    Settings,
    tests::{Kettle, Teller, Told, celsius, layers, teller},
};
use super::*;
use crate::config::{Found, SourceError};

/// A file of a test's own.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        let name = format!("polling-kept-{:016x}", Generator::from_os().next_u64());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder.join("settings.json"))
    }

    /// A run that begins at `now_ms`: what holds, and how to tell it what Consul says.
    fn run(&self, now_ms: i64) -> (Settings<Kettle>, Teller) {
        let (consul, of_consul) = teller();
        let clock = Arc::new(ManualClock::at(now_ms));
        let (settings, run) = Settings::over(layers(), clock, Generator::from_seed(1))
            .source(Told("consul", of_consul))
            .keep(&self.0)
            .start();
        tokio::spawn(run);
        (settings, consul)
    }

    /// Waits until this is kept as what Consul said.
    async fn holds(&self, found: &[(&str, &str)]) {
        let found = found.iter();
        let found: Found = found
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect();
        let kept = || kept::read(&self.0).unwrap_or_default();
        while kept().get("consul").map(|said| &said.found) != Some(&found) {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// What holds: degrees, and when an earlier run heard them.
fn shown(settings: &Settings<Kettle>) -> (u8, Option<i64>) {
    let current = settings.current();
    (current.value.celsius, current.sources[0].recalled_ms)
}

async fn until(settings: &Settings<Kettle>, holds: impl Fn(&Current<Kettle>) -> bool) {
    let mut watch = settings.watch();
    watch.wait_for(|current| holds(current)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_source_said_holds_after_a_restart_until_it_answers() {
    let file = File::new();
    let (settings, consul) = file.run(1_000);
    assert_eq!(shown(&settings), (80, None));
    consul.send(celsius("70")).unwrap();
    file.holds(&[("celsius", "70")]).await;

    let (settings, consul) = file.run(2_000);
    assert_eq!(
        shown(&settings),
        (70, Some(1_000)),
        "before anything is asked"
    );
    consul.send(Err(SourceError::new("no answer"))).unwrap();
    until(&settings, |current| current.sources[0].failure.is_some()).await;
    assert_eq!(shown(&settings), (70, Some(1_000)));
    consul.send(celsius("75")).unwrap();
    until(&settings, |current| current.value.celsius == 75).await;
    assert_eq!(shown(&settings), (75, None));
    file.holds(&[("celsius", "75")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_starts_empty_leaves_what_it_said_to_an_earlier_run() {
    let file = File::new();
    let (_settings, consul) = file.run(1_000);
    consul.send(celsius("70")).unwrap();
    file.holds(&[("celsius", "70")]).await;
    let (settings, consul) = file.run(2_000);
    consul.send(Ok(Found::new())).unwrap();
    until(&settings, |current| current.sources[0].failure.is_some()).await;
    assert_eq!(shown(&settings), (70, Some(1_000)));
    let (settings, _consul) = file.run(3_000);
    assert_eq!(shown(&settings), (70, Some(1_000)), "and the one after");
}

#[tokio::test(start_paused = true)]
async fn the_last_good_value_of_one_that_is_refused_outlives_a_restart() {
    let file = File::new();
    let (settings, consul) = file.run(1_000);
    consul.send(celsius("70")).unwrap();
    until(&settings, |current| current.value.celsius == 70).await;
    let said = [("celsius", "hot"), ("others/celsius", "1")];
    let said = BTreeMap::from(said.map(|(key, text)| (key.to_owned(), text.to_owned())));
    consul.send(Ok(said.clone())).unwrap();
    until(&settings, |current| !current.refused.is_empty()).await;
    file.holds(&[("celsius", "70")]).await;
    let (settings, consul) = file.run(2_000);
    consul.send(Ok(said)).unwrap();
    until(&settings, |current| !current.refused.is_empty()).await;
    assert_eq!(settings.get().celsius, 70);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_file_is_told_ignored_and_replaced() {
    let file = File::new();
    for damaged in [
        "",
        "{\"version\":2,\"sources\":{}}",
        "{\"version\":1,\"sources\":{\"consul\":7}}",
    ] {
        fs::write(&file.0, damaged).unwrap();
        let (settings, consul) = file.run(1_000);
        assert_eq!(shown(&settings), (80, None));
        let unkept = settings.current().unkept.clone().unwrap();
        assert!(unkept.contains("is ignored"), "{unkept}");
        consul.send(celsius("70")).unwrap();
        file.holds(&[("celsius", "70")]).await;
        until(&settings, |current| current.unkept.is_none()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_told_and_tried_again() {
    let file = File::new();
    let folder = file.0.parent().unwrap();
    fs::remove_dir(folder).unwrap();
    let (settings, consul) = file.run(1_000);
    consul.send(celsius("70")).unwrap();
    until(&settings, |current| current.unkept.is_some()).await;
    assert_eq!(settings.get().celsius, 70);
    fs::create_dir(folder).unwrap();
    until(&settings, |current| current.unkept.is_none()).await;
    file.holds(&[("celsius", "70")]).await;
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn nobody_else_may_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = File::new();
    let (_settings, consul) = file.run(1_000);
    consul.send(celsius("70")).unwrap();
    file.holds(&[("celsius", "70")]).await;
    let mode = fs::metadata(&file.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
