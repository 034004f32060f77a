use polling_model::ManualClock;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{
    super::{Catalog, Found, Setting},
    *,
};

#[derive(Debug, Deserialize)]
pub(super) struct Kettle {
    pub(super) celsius: u8,
}

/// Says what a test tells it to.
pub(super) struct Told(
    pub(super) &'static str,
    pub(super) mpsc::UnboundedReceiver<Result<Found, SourceError>>,
);

impl Source for Told {
    fn name(&self) -> &str {
        self.0
    }

    fn next(&mut self) -> futures_util::future::BoxFuture<'_, Result<Found, SourceError>> {
        Box::pin(async {
            match self.1.recv().await {
                Some(said) => said,
                None => std::future::pending().await,
            }
        })
    }
}

pub(super) type Teller = mpsc::UnboundedSender<Result<Found, SourceError>>;

pub(super) fn teller() -> (Teller, mpsc::UnboundedReceiver<Result<Found, SourceError>>) {
    mpsc::unbounded_channel()
}

/// A kettle of 80 degrees.
pub(super) fn layers() -> Layers<Kettle> {
    let catalog = Catalog::new(vec![Setting::new("celsius", "celsius", "")]).leaving(["others"]);
    let base = "celsius = 80".parse().unwrap();
    Layers::new(base, catalog, |_: &Kettle| Vec::new()).unwrap()
}

/// The kettle, and two sources, the weaker first.
fn settings() -> (Settings<Kettle>, Teller, Teller) {
    let (file, of_file) = teller();
    let (consul, of_consul) = teller();
    let clock = ManualClock::at(1_000);
    let (settings, run) = Settings::over(layers(), Arc::new(clock), Generator::from_seed(1))
        .source(Told("file", of_file))
        .source(Told("consul", of_consul))
        .start();
    tokio::spawn(run);
    (settings, file, consul)
}

pub(super) fn celsius(text: &str) -> Result<Found, SourceError> {
    Ok(Found::from([("celsius".to_owned(), text.to_owned())]))
}

/// What holds after the next thing that is told.
async fn after(
    settings: &Settings<Kettle>,
    teller: &Teller,
    said: Result<Found, SourceError>,
) -> Arc<Current<Kettle>> {
    let mut watch = settings.watch();
    watch.mark_unchanged();
    teller.send(said).unwrap();
    watch.changed().await.unwrap();
    settings.current()
}

#[tokio::test(start_paused = true)]
async fn the_stronger_source_goes_before_the_weaker_and_both_before_static_values() {
    let (settings, file, consul) = settings();
    assert_eq!(settings.get().celsius, 80);
    assert_eq!(
        after(&settings, &file, celsius("60")).await.value.celsius,
        60
    );
    let current = after(&settings, &consul, celsius("70")).await;
    assert_eq!(current.value.celsius, 70);
    assert_eq!(&*current.in_force.values().next().unwrap().source, "consul");
    assert_eq!(
        after(&settings, &file, celsius("50")).await.value.celsius,
        70
    );
    let wrong = after(&settings, &consul, celsius("hot")).await;
    assert_eq!(wrong.value.celsius, 70, "the last good value stays");
    assert!(wrong.refused.contains_key("celsius"));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_or_lost_everything_changes_nothing() {
    let (settings, _file, consul) = settings();
    let failed = || Err(SourceError::new("no answer"));
    let current = after(&settings, &consul, failed()).await;
    assert_eq!(
        current.value.celsius, 80,
        "never reached: the static values"
    );
    let state = |current: &Current<Kettle>| current.sources[1].clone();
    assert_eq!(state(&current).heard_ms, None);
    assert!(state(&current).failure.unwrap().starts_with("no answer"));

    let current = after(&settings, &consul, celsius("70")).await;
    assert_eq!(state(&current).failure, None);
    for lost in [failed(), Ok(Found::new())] {
        let current = after(&settings, &consul, lost).await;
        assert_eq!(current.value.celsius, 70);
        assert!(state(&current).failure.is_some());
    }
    let current = after(&settings, &consul, celsius("75")).await;
    assert_eq!((current.value.celsius, state(&current).failure), (75, None));
}
