//! Argument types that several tools share.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::library::{LibraryError, ProcedureRef, VersionRef};

/// A procedure by its number or its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected the procedure's number or its name")]
pub enum ProcedureArgument {
    Id(i64),
    Name(String),
}

impl From<ProcedureArgument> for ProcedureRef {
    fn from(argument: ProcedureArgument) -> Self {
        match argument {
            ProcedureArgument::Id(id) => Self::Id(id),
            ProcedureArgument::Name(name) => Self::from(name.as_str()),
        }
    }
}

/// A version by its number, or as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected a version number, `v3` or the beginning of a commit id")]
pub enum VersionArgument {
    Number(u32),
    Text(String),
}

impl From<VersionArgument> for VersionRef {
    fn from(argument: VersionArgument) -> Self {
        match argument {
            VersionArgument::Number(number) => Self::Number(number),
            VersionArgument::Text(text) => Self::Text(text),
        }
    }
}

macro_rules! number_or_text {
    ($($type:ty),*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"anyOf": [{"type": "integer"}, {"type": "string"}]})
            }
        }
    )*};
}
number_or_text!(ProcedureArgument, VersionArgument);

/// A limit that a caller may set: at least 1 and at most `most`.
pub fn limit(given: Option<u32>, default: u32, most: u32) -> Result<u32, LibraryError> {
    match given {
        None => Ok(default),
        Some(0) => Err(LibraryError::invalid("`limit` must be at least 1")),
        Some(limit) => Ok(limit.min(most)),
    }
}

/// A share that a caller may set: from 0 to 1.
pub fn share(name: &str, given: f64) -> Result<f64, LibraryError> {
    if (0.0..=1.0).contains(&given) {
        Ok(given)
    } else {
        Err(LibraryError::invalid(format!("`{name}` must be from 0 to 1, got {given}")))
    }
}
