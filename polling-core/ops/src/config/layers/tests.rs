use serde::Deserialize;

use super::{super::Setting, *};

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Kettle {
    least: u8,
    most: u8,
    name: String,
}

fn check(kettle: &Kettle) -> Vec<Fault> {
    if kettle.least > kettle.most {
        return vec![Fault::at(["least"], "it needs 0 to most")];
    }
    Vec::new()
}

fn layers() -> Layers<Kettle> {
    let setting = |name| Setting::new(name, name, "");
    let catalog = Catalog::new(["least", "most", "name"].map(setting).into());
    let base = "least = 1\nmost = 5\nname = 'red'".parse().unwrap();
    Layers::new(base, catalog, check).unwrap()
}

fn wanted(texts: &[(&str, &str)]) -> BTreeMap<String, Said> {
    let said = |text: &str| Said {
        text: text.to_owned(),
        source: "consul".into(),
    };
    let texts = texts.iter();
    texts
        .map(|(key, text)| ((*key).to_owned(), said(text)))
        .collect()
}

fn shown(layers: &Layers<Kettle>) -> (u8, u8, &str) {
    let kettle = layers.value();
    (kettle.least, kettle.most, &kettle.name)
}

fn reasons(layers: &Layers<Kettle>) -> Vec<(&str, &str)> {
    let refused = layers.refused().iter();
    refused
        .map(|(key, refused)| (key.as_str(), refused.reason.as_str()))
        .collect()
}

#[test]
fn a_value_is_laid_over_the_static_one_and_given_up_again() {
    let mut layers = layers();
    layers.apply(&wanted(&[("most", "9"), ("name", "7")]), 10);
    assert_eq!(shown(&layers), (1, 9, "7"));
    assert_eq!(layers.in_force()[&Key::new("most").unwrap()].changed_ms, 10);
    layers.apply(&wanted(&[("most", "9")]), 20);
    assert_eq!(shown(&layers), (1, 9, "red"));
    assert_eq!(
        layers.in_force()[&Key::new("most").unwrap()].changed_ms,
        10,
        "what stays the same has not changed"
    );
}

#[test]
fn a_wrong_value_is_refused_and_the_last_good_one_stays() {
    let mut layers = layers();
    layers.apply(&wanted(&[("most", "9")]), 10);
    layers.apply(&wanted(&[("most", "a lot"), ("name", "blue")]), 20);
    assert_eq!(shown(&layers), (1, 9, "blue"), "others take effect");
    let refused = &layers.refused()["most"];
    assert_eq!(refused.text.as_deref(), Some("a lot"));
    assert!(refused.reason.contains("expected u8"), "{}", refused.reason);
    layers.apply(&wanted(&[("most", "a lot"), ("name", "blue")]), 30);
    assert_eq!(layers.refused()["most"].since_ms, 20);
    layers.apply(&wanted(&[("most", "8"), ("name", "blue")]), 40);
    assert_eq!((shown(&layers), reasons(&layers)), ((1, 8, "blue"), vec![]));
}

#[test]
fn values_that_are_right_only_together_take_effect_together() {
    let mut layers = layers();
    layers.apply(&wanted(&[("least", "10"), ("most", "20")]), 10);
    assert_eq!(shown(&layers), (10, 20, "red"));
    let wrong = wanted(&[("least", "30"), ("most", "40"), ("name", "x"), ("nme", "x")]);
    layers.apply(&wrong, 20);
    assert_eq!(shown(&layers), (30, 40, "x"), "beside one that is wrong");
    let unknown = ("nme", "no setting that may change has this key");
    assert_eq!(reasons(&layers), [unknown]);
}

#[test]
fn what_contradicts_another_value_is_refused_alone() {
    let mut layers = layers();
    layers.apply(&wanted(&[("least", "10"), ("most", "20")]), 10);
    layers.apply(
        &wanted(&[("least", "10"), ("most", "4"), ("name", "x")]),
        20,
    );
    assert_eq!(shown(&layers), (10, 20, "x"));
    assert_eq!(reasons(&layers), [("most", "least: it needs 0 to most")]);
}

#[test]
fn what_cannot_be_given_up_stays() {
    let mut layers = layers();
    layers.apply(&wanted(&[("least", "10"), ("most", "20")]), 10);
    layers.apply(&wanted(&[("least", "10")]), 20);
    assert_eq!(shown(&layers), (10, 20, "red"), "the static most is 5");
    assert_eq!(layers.refused()["most"].text, None);
    layers.apply(&BTreeMap::new(), 30);
    assert_eq!((shown(&layers), reasons(&layers)), ((1, 5, "red"), vec![]));
}

#[test]
fn what_would_be_refused_is_known_before_it_is_written() {
    let mut layers = layers();
    layers.apply(&wanted(&[("most", "20"), ("least", "10")]), 10);
    assert_eq!(layers.check("most", Some("11")), Ok(()));
    let contradicts = Err("least: it needs 0 to most".to_owned());
    assert_eq!(layers.check("most", Some("9")), contradicts);
    assert_eq!(
        layers.check("most", None),
        contradicts,
        "the static one is 5"
    );
    assert!(layers.check("nme", Some("x")).is_err());
    assert_eq!(shown(&layers), (10, 20, "red"), "nothing has changed");
}

#[test]
fn what_belongs_to_another_program_is_neither_taken_nor_refused() {
    let mut layers = layers();
    layers.catalog = layers.catalog.leaving(["alerts"]);
    layers.apply(&wanted(&[("alerts/most", "9"), ("most", "9")]), 10);
    assert_eq!((shown(&layers), reasons(&layers)), ((1, 9, "red"), vec![]));
    assert_eq!(layers.in_force().len(), 1);
    assert!(layers.check("alerts/most", Some("9")).is_err());
}

#[test]
fn values_are_bounded_in_length() {
    let mut layers = layers();
    layers.apply(&wanted(&[("name", &"x".repeat(MAX_VALUE_LEN + 1))]), 10);
    assert_eq!(shown(&layers), (1, 5, "red"));
    assert_eq!(reasons(&layers).len(), 1);
}

proptest::proptest! {
    /// Whatever sources say, in whatever order: what is in force is right, and what is wanted is in force or refused.
    #[test]
    fn what_is_in_force_is_always_right(
        turns in proptest::collection::vec(
            proptest::collection::btree_map("least|most|name|other", "[0-9]{1,3}|x", 0..4), 1..12,
        ),
    ) {
        let mut layers = layers();
        for (now_ms, turn) in turns.into_iter().enumerate() {
            let said = |text| Said { text, source: "consul".into() };
            let wanted: BTreeMap<_, _> = turn.into_iter().map(|(key, text)| (key, said(text))).collect();
            layers.apply(&wanted, now_ms as i64);
            let kettle = layers.value();
            proptest::prop_assert!(kettle.least <= kettle.most);
            for (key, said) in &wanted {
                let in_force = layers.in_force();
                let in_force = Key::new(key).ok().and_then(|key| in_force.get(&key).cloned());
                let taken = in_force.is_some_and(|value| value.text == said.text);
                proptest::prop_assert!(taken != layers.refused().contains_key(key), "{key}");
            }
        }
    }
}
