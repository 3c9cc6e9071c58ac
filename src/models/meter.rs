//! Counting what a model is used for, against what it may be.

use futures_util::future::BoxFuture;

use super::{ModelError, Usage};
use crate::config::ModelSettings;

/// Counts requests and their tokens. [`super::Model`] asks before each request.
pub trait Meter: Send + Sync {
    /// Counts a request to the model of `settings` that is about to be made, with as many tokens as it may write: requests
    /// at once would otherwise all be made with what is left for one.
    fn begin<'a>(&'a self, settings: &'a ModelSettings) -> BoxFuture<'a, Result<(), ModelError>>;

    /// Counts what the answer took, in the place of what was counted for it; nothing where there is none. Where this is not
    /// called, because nobody waits any more, it stays counted as it was: the provider may count it, too.
    fn end<'a>(&'a self, settings: &'a ModelSettings, usage: Usage) -> BoxFuture<'a, ()>;
}
