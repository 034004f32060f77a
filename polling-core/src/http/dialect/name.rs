//! Names of headers in configuration: a name that no header can have is refused as it is read.

use http::HeaderName;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(super) fn serialize<S: Serializer>(name: &HeaderName, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(name.as_str())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<HeaderName, D::Error> {
    let text = String::deserialize(d)?;
    HeaderName::try_from(&text)
        .map_err(|_| D::Error::custom(format!("{text:?} is no name of a header")))
}

/// Names that may be left out.
pub(super) mod optional {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        name: &Option<HeaderName>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        match name {
            Some(name) => super::serialize(name, s),
            None => s.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<HeaderName>, D::Error> {
        super::deserialize(d).map(Some)
    }
}
