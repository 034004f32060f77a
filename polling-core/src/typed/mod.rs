//! A context as a type of your own, with versions.
//!
//! A job's [`Context`] is a map. A worker that is deployed again and again gives it a type, and
//! each change of the type a function that lifts what older workers wrote:
//!
//! ```
//! use polling_core::{Context, Event, Job, PollError, Polled, Topic};
//! use polling_core::typed::{Typed, TypedContext, Upgrade};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Posts {
//!     since_id: u64,
//! }
//!
//! impl TypedContext for Posts {
//!     // Version 1 called it `last`, and version 2 is the struct above.
//!     const UPGRADES: &'static [Upgrade] = &[|v1| {
//!         if let Some(last) = v1.remove("last") {
//!             v1.insert("since_id", last);
//!         }
//!     }];
//! }
//!
//! async fn poll(job: Job) -> Result<Polled, PollError> {
//!     let mut posts = Typed::<Posts>::read(&job.context)?;
//!     // ... ask for what is newer than posts.since_id ...
//!     posts.since_id += 1;
//!     Ok(Polled::new(posts.write()?))
//! }
//!
//! let written_long_ago = Context::from_iter([("last", 7.into()), ("note", "by hand".into())]);
//! let mut posts = Typed::<Posts>::read(&written_long_ago)?;
//! posts.since_id += 1;
//! let context = posts.write()?;
//! assert_eq!(context.get_i64("since_id"), Some(8));
//! assert_eq!(context.get_str("note"), Some("by hand"), "what the type does not know stays");
//! # Ok::<(), PollError>(())
//! ```
//!
//! - **The first poll** finds an empty context: that is the type's `Default`.
//! - **The version** is kept in the map, under [`VERSION_KEY`]. A context without it is of version
//!   1: so was whatever a worker without versions wrote, and what is registered by hand.
//! - **A context of a newer version** than the worker knows is an error
//!   ([`TypedError::Newer`]), never read as if it were an old one: the poll fails as
//!   [`Transient`](crate::ErrorClass::Transient), and the job keeps its context for a newer worker.
//!   While versions are deployed one after the other, that is what the old ones do.
//! - **Unknown keys** of the map stay as they were: what a newer worker of the same version added,
//!   and what people noted. Within the values of known keys the type decides.
//! - **Nothing is quoted**: a context may hold secrets, so errors name keys, never values.

mod error;
mod fields;

use std::{
    collections::BTreeSet,
    fmt,
    ops::{Deref, DerefMut},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use self::error::TypedError;
use crate::Context;

/// Where a context keeps its version: a whole number, 1 at first.
pub const VERSION_KEY: &str = "_version";

/// Lifts a context by one version, in place. What the next version cannot be read from fails the
/// poll as [`TypedError::Misfit`].
pub type Upgrade = fn(&mut Context);

/// A type that is kept as a job's context. It must serialize to a map, such as a struct does.
///
/// Give the fields that are added within a version `#[serde(default)]`.
pub trait TypedContext: Default + Serialize + DeserializeOwned {
    /// The upgrades, oldest first: the first lifts version 1 to 2. The type's own version is thus
    /// one more than there are upgrades. Never remove one while contexts of its version may be
    /// stored anywhere.
    const UPGRADES: &'static [Upgrade] = &[];
}

/// The version that workers with this type read and write.
fn version_of<T: TypedContext>() -> u64 {
    T::UPGRADES.len() as u64 + 1
}

/// A context of type `T`, with the keys that the type does not know. Derefs to `T`.
///
/// See the [module](self) for an example.
#[derive(Clone, PartialEq)]
pub struct Typed<T> {
    value: T,
    unknown: Context,
}

impl<T: TypedContext> Typed<T> {
    /// Reads a job's context, lifted to the type's version.
    ///
    /// # Errors
    ///
    /// [`TypedError::Newer`], [`TypedError::Version`] and [`TypedError::Misfit`]; all are
    /// [`PollError`](crate::PollError)s to the `?` of a poll.
    pub fn read(context: &Context) -> Result<Self, TypedError> {
        if context.iter().next().is_none() {
            return Ok(Self {
                value: T::default(),
                unknown: Context::new(),
            });
        }
        let mut context = context.clone();
        lift(&mut context, T::UPGRADES)?;
        let (value, fields) = fields::read::<T>(&context)?;
        // A map, or a struct with a flattened part, does not tell what it knows: it is what it
        // writes.
        let known: BTreeSet<String> = match fields {
            Some(fields) => fields.iter().map(|field| (*field).to_owned()).collect(),
            None => to_entries(&value)?
                .into_iter()
                .map(|(key, _)| key)
                .collect(),
        };
        let unknown = context
            .iter()
            .filter(|(key, _)| !known.contains(*key))
            .map(|(key, value)| (key, value.clone()))
            .collect();
        Ok(Self { value, unknown })
    }

    /// The context to give back, with the version and the unknown keys.
    ///
    /// # Errors
    ///
    /// [`TypedError::NotAMap`] and [`TypedError::Reserved`], which are bugs of the type.
    pub fn write(self) -> Result<Context, TypedError> {
        let mut context = self.unknown;
        for (key, value) in to_entries(&self.value)? {
            if key == VERSION_KEY {
                return Err(TypedError::Reserved);
            }
            context.insert(key, value);
        }
        context.insert(VERSION_KEY, version_of::<T>());
        Ok(context)
    }
}

/// Applies the upgrades that the context lacks, and takes its version off.
fn lift(context: &mut Context, upgrades: &[Upgrade]) -> Result<(), TypedError> {
    let known = upgrades.len() as u64 + 1;
    let found = match context.remove(VERSION_KEY) {
        None => 1,
        Some(version) => match version.as_u64() {
            Some(found @ 1..) => found,
            _ => return Err(TypedError::Version),
        },
    };
    if found > known {
        return Err(TypedError::Newer { found, known });
    }
    // It is known by now to be at most their number, plus one.
    for upgrade in upgrades.iter().skip(found as usize - 1) {
        upgrade(context);
    }
    Ok(())
}

fn to_entries<T: Serialize>(value: &T) -> Result<serde_json::Map<String, Value>, TypedError> {
    match serde_json::to_value(value) {
        Ok(Value::Object(entries)) => Ok(entries),
        _ => Err(TypedError::NotAMap),
    }
}

impl<T> Deref for Typed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Typed<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// Without values: a context may hold what its owner would not want in a log.
impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed").finish_non_exhaustive()
    }
}
