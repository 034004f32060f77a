//! Contexts as types: versions, upgrades, and keys that nobody knows.

use std::collections::BTreeMap;

use polling_core::{
    Context, ErrorClass, PollError,
    typed::{Typed, TypedContext, TypedError, Upgrade, VERSION_KEY},
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Posts {
    since_id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    #[serde(default, alias = "tags")]
    labels: Vec<String>,
}

/// What each version renamed the counter to; each upgrade also counts itself.
const NAMES: [&str; 4] = ["last", "newest", "since", "since_id"];

fn rename(context: &mut Context, from: usize) {
    if let Some(value) = context.remove(NAMES[from]) {
        context.insert(NAMES[from + 1], value);
    }
    let steps = context.get_str("steps").unwrap_or_default().to_owned();
    context.insert("steps", format!("{steps}{from}"));
}

impl TypedContext for Posts {
    const UPGRADES: &'static [Upgrade] = &[
        |context| rename(context, 0),
        |context| rename(context, 1),
        |context| rename(context, 2),
    ];
}

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
struct Inner {
    a: u64,
}

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    inner: Inner,
}

impl TypedContext for Flat {}

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
struct Counts(BTreeMap<String, u64>);

impl TypedContext for Counts {}

fn context(value: Value) -> Context {
    serde_json::from_value(value).unwrap()
}

fn error<T: TypedContext>(value: Value) -> TypedError {
    Typed::<T>::read(&context(value)).unwrap_err()
}

#[test]
fn the_first_poll_finds_the_default() {
    let posts = Typed::<Posts>::read(&Context::new()).unwrap();
    assert_eq!(*posts, Posts::default());
}

#[test]
fn an_emptied_option_does_not_come_back_as_an_unknown_key() {
    let written = context(json!({"since_id": 7, "page": "p3", VERSION_KEY: 4}));
    let mut posts = Typed::<Posts>::read(&written).unwrap();
    posts.page = None;
    let expected = json!({"since_id": 7, "labels": [], VERSION_KEY: 4});
    assert_eq!(posts.write().unwrap(), context(expected));
}

#[test]
fn an_alias_is_known_and_written_under_its_new_name() {
    let written = context(json!({"since_id": 7, "tags": ["a"], VERSION_KEY: 4}));
    let posts = Typed::<Posts>::read(&written).unwrap();
    let rewritten = posts.write().unwrap();
    assert_eq!(rewritten.get("tags"), None);
    assert_eq!(*Typed::<Posts>::read(&rewritten).unwrap().labels, ["a"]);
}

#[test]
fn what_a_flattened_part_does_not_know_survives_too() {
    let flat = Typed::<Flat>::read(&context(json!({"a": 1, "b": 2}))).unwrap();
    assert_eq!(
        (flat.inner.a, flat.write().unwrap().get_i64("b")),
        (1, Some(2))
    );
    let counts = Typed::<Counts>::read(&context(json!({"a": 1, "b": 2}))).unwrap();
    assert_eq!(counts.0.len(), 2);
}

#[test]
fn a_newer_context_is_left_to_a_newer_worker() {
    let newer = error::<Posts>(json!({"since_id": 7, VERSION_KEY: 5}));
    assert_eq!(newer, TypedError::Newer { found: 5, known: 4 });
    let failed = PollError::from(newer);
    assert_eq!(failed.class(), ErrorClass::Transient);
    assert_eq!(failed.code().unwrap().as_str(), "context_newer");
    assert!(failed.message().contains("version 5"), "{failed}");
}

#[test]
fn a_version_that_is_none_is_an_error() {
    for bad in [json!(0), json!(-1), json!(1.5), json!("2"), json!(null)] {
        assert_eq!(
            error::<Posts>(json!({ VERSION_KEY: bad })),
            TypedError::Version
        );
    }
}

#[test]
fn an_error_names_the_key_and_never_the_value() {
    let secret = "hunter2";
    for (bad, named) in [
        (json!({"since_id": secret, VERSION_KEY: 4}), "since_id"),
        (
            json!({"since_id": 1, "labels": [secret, {secret: 1}], VERSION_KEY: 4}),
            "labels",
        ),
        (
            json!({"page": secret, VERSION_KEY: 4}),
            "missing field `since_id`",
        ),
    ] {
        let message = error::<Posts>(bad).to_string();
        assert!(message.contains(named), "{message}");
        assert!(!message.contains(secret), "{message}");
    }
    let message = error::<Flat>(json!({"a": secret})).to_string();
    assert!(!message.contains(secret), "{message}");
}

#[test]
fn a_type_that_no_context_can_hold_is_told_apart() {
    #[derive(Default, Serialize, Deserialize)]
    struct Bare(u64);
    impl TypedContext for Bare {}
    #[derive(Default, Serialize, Deserialize)]
    struct Taken {
        _version: u64,
    }
    impl TypedContext for Taken {}
    let write = |context: Result<Context, TypedError>| context.unwrap_err();
    let bare = Typed::<Bare>::read(&Context::new()).unwrap();
    assert_eq!(write(bare.write()), TypedError::NotAMap);
    let taken = Typed::<Taken>::read(&Context::new()).unwrap();
    assert_eq!(write(taken.write()), TypedError::Reserved);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn posts() -> impl Strategy<Value = Posts> {
    let labels = prop::collection::vec(".{0,5}", 0..3);
    (any::<u64>(), prop::option::of(".{0,8}"), labels).prop_map(|(since_id, page, labels)| Posts {
        since_id,
        page,
        labels,
    })
}

/// Keys that are none of the type's, in any version.
fn unknown() -> impl Strategy<Value = BTreeMap<String, Value>> {
    prop::collection::btree_map("x[a-z]{0,4}", json_value(), 0..5)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_beside_what_nobody_knows(posts in posts(), next in posts(), unknown in unknown()) {
        let mut before: Context = unknown.clone().into_iter().collect();
        for (key, value) in serde_json::to_value(&posts).unwrap().as_object().unwrap() {
            before.insert(key.clone(), value.clone());
        }
        before.insert(VERSION_KEY, 4);
        let mut typed = Typed::<Posts>::read(&before).unwrap();
        prop_assert_eq!(&*typed, &posts);
        *typed = next.clone();
        // What travels is the encoding.
        let after = typed.write().unwrap().encode().unwrap().decode().unwrap();
        prop_assert_eq!(&*Typed::<Posts>::read(&after).unwrap(), &next);
        for (key, value) in &unknown {
            prop_assert_eq!(after.get(key), Some(value));
        }
    }

    #[test]
    fn upgrades_chain_from_every_version_to_the_newest(version in 1..=4usize, since_id: u64, unknown in unknown(), told: bool) {
        let mut before: Context = unknown.clone().into_iter().collect();
        before.insert(NAMES[version - 1], since_id);
        if told || version > 1 {
            before.insert(VERSION_KEY, version);
        }
        let typed = Typed::<Posts>::read(&before).unwrap();
        prop_assert_eq!(typed.since_id, since_id);
        let after = typed.write().unwrap();
        prop_assert_eq!(after.get_i64(VERSION_KEY), Some(4));
        let steps: String = (version..4).map(|step| (step - 1).to_string()).collect();
        prop_assert_eq!(after.get_str("steps").unwrap_or_default(), steps);
        for (key, value) in &unknown {
            prop_assert_eq!(after.get(key), Some(value));
        }
        prop_assert_eq!(&after, &Typed::<Posts>::read(&after).unwrap().write().unwrap());
    }

    #[test]
    fn no_context_makes_reading_panic(entries in prop::collection::btree_map("_version|since_id|page|last|labels|x", json_value(), 0..5)) {
        let context: Context = entries.into_iter().collect();
        let _ = Typed::<Posts>::read(&context);
        let _ = Typed::<Flat>::read(&context);
        let _ = Typed::<Counts>::read(&context);
    }
}
