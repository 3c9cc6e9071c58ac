//! What the language model is used for: counted for each day and each run, against the limits under `[model]`.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Library, LibraryError, blocking, now_ms};
use crate::{
    config::ModelSettings,
    domain::RunId,
    models::{Meter, ModelError, Usage},
    storage::{ModelUse, StorageError},
};

/// Counts for one home, and for a run where a run asks.
pub(in crate::library) struct ModelMeter {
    library: Arc<Library>,
    /// The root of its tree.
    run: Option<RunId>,
}

impl ModelMeter {
    /// For requests of this run, or of none.
    pub const fn new(library: Arc<Library>, run: Option<RunId>) -> Self {
        Self { library, run }
    }

    async fn count(&self, settings: ModelSettings) -> Result<(), LibraryError> {
        let run = self.run.clone();
        blocking(&self.library, move |library| {
            library.database.write(|writer| {
                let (of_day, of_run) = writer.model_use(day(), run.as_deref())?;
                match reached(&settings, of_day, of_run) {
                    Some(error) => Err(LibraryError::Model(error)),
                    None => Ok(writer.add_model_use(day(), run.as_deref(), 1, reserved(&settings))?),
                }
            })
        })
        .await
    }
}

impl Meter for ModelMeter {
    fn begin<'a>(&'a self, settings: &'a ModelSettings) -> BoxFuture<'a, Result<(), ModelError>> {
        Box::pin(async move {
            match self.count(settings.clone()).await {
                Err(LibraryError::Model(error)) => Err(error),
                Err(error) => {
                    // What can't be counted is not made.
                    tracing::warn!(%error, "a request to the model was not counted");
                    Err(ModelError::Uncounted { reason: error.to_string() })
                }
                Ok(()) => Ok(()),
            }
        })
    }

    fn end<'a>(&'a self, settings: &'a ModelSettings, usage: Usage) -> BoxFuture<'a, ()> {
        let run = self.run.clone();
        Box::pin(async move {
            let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
            let more = i64::try_from(tokens).unwrap_or(i64::MAX).saturating_sub(reserved(settings));
            let counted = blocking(&self.library, move |library| {
                Ok(library
                    .database
                    .write::<_, StorageError>(|writer| writer.add_model_use(day(), run.as_deref(), 0, more))?)
            });
            if let Err(error) = counted.await {
                tracing::warn!(%error, tokens, "the tokens of an answer of the model were not counted");
            }
        })
    }
}

/// The tokens that count for a request while it is under way.
fn reserved(settings: &ModelSettings) -> i64 {
    settings.max_output_tokens.into()
}

/// Days since 1970.
fn day() -> i64 {
    now_ms().div_euclid(86_400_000)
}

/// The first limit that leaves no room for another request. 0 sets none.
fn reached(settings: &ModelSettings, of_day: ModelUse, of_run: Option<ModelUse>) -> Option<ModelError> {
    let of_run = of_run.unwrap_or_default();
    let limits = [
        ("calls_per_run", settings.calls_per_run, of_run.calls, "calls in this run"),
        (
            "tokens_per_run",
            settings.tokens_per_run,
            of_run.tokens,
            "tokens in this run, with those of requests under way",
        ),
        ("calls_per_day", settings.calls_per_day, of_day.calls, "calls today (UTC)"),
        (
            "tokens_per_day",
            settings.tokens_per_day,
            of_day.tokens,
            "tokens today (UTC), with those of requests under way",
        ),
    ];
    let (setting, most, used, what) = limits.into_iter().find(|(_, most, used, _)| *most > 0 && used >= most)?;
    Some(ModelError::LimitReached { setting, most, used, what })
}
