//! The code of procedures: how it comes about, how far it is trusted, and what becomes the current version.

mod answer;
mod candidate;
mod check;
pub(in crate::library) mod confidence;
mod generate;
mod guide;
mod prompt;

pub(in crate::library) use candidate::check_storable;

pub use candidate::{CodeSource, Generated, ModelUsage, Validated};
pub use check::check_source;
pub use generate::{Activity, GenerateRequest};
