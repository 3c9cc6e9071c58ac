//! The code of procedures: how it comes about, how far it is trusted, and what becomes the current version.

mod answer;
mod candidate;
mod check;
mod generate;
mod guide;
mod keep;
mod packages;
mod prompt;
mod replace;
mod skills;

pub use candidate::{CodeSource, Generated, ModelUsage, Validated};
pub use check::check_source;
pub use generate::{Activity, GenerateRequest};
pub use keep::TriedExamples;
