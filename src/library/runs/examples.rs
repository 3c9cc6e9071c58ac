//! Executing the examples of a definition with a piece of code.

use std::{
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    config::Config,
    domain::{
        Example, Hinted as _,
        example::{Got, Verdict},
    },
    host,
    library::{
        LibraryError,
        home::{Trial, Trier},
        runs::engine::{Rehearsal, rehearse},
    },
    runtime::{self, Runtimes},
};

/// How long one example may take.
const EXAMPLE_TIME: Duration = Duration::from_secs(2);
/// How long all of a definition may take. What has no time left is not tried.
const ALL_TIME: Duration = Duration::from_secs(6);

/// Executes examples in interpreters of its own, which end with the last of them.
pub struct Examples {
    /// The program whose processes execute code.
    worker: PathBuf,
}

impl Examples {
    /// Workers will be processes of the program `worker`.
    #[must_use]
    pub const fn at(worker: PathBuf) -> Self {
        Self { worker }
    }

    async fn all(&self, trial: &Trial, config: &Arc<Config>) -> Result<Vec<Verdict>, LibraryError> {
        let runtimes =
            Runtimes { sandbox: runtime::sandbox(self.worker.clone(), 1, *host::MODULE), python: runtime::python(1) };
        let until = Instant::now() + ALL_TIME;
        let mut verdicts = Vec::new();
        for example in &trial.definition.examples {
            let time = until.saturating_duration_since(Instant::now()).min(EXAMPLE_TIME);
            verdicts.push(if time.is_zero() {
                Verdict::Untried(format!("those before took all of {} s", ALL_TIME.as_secs()))
            } else {
                one(&runtimes, trial, config, example, time).await
            });
        }
        tokio::join!(runtimes.sandbox.close(), runtimes.python.close());
        Ok(verdicts)
    }
}

impl Trier for Examples {
    fn try_examples(&self, trial: &Trial, config: &Arc<Config>) -> Result<Vec<Verdict>, LibraryError> {
        // On a thread of its own: whoever asks may be part of another async runtime.
        let tried = thread::scope(|scope| {
            let trying = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime
                    .map_err(|error| LibraryError::internal_because("the examples can't be executed", &error))?;
                runtime.block_on(self.all(trial, config))
            });
            trying.join()
        });
        tried.unwrap_or_else(|_| Err(LibraryError::internal("executing the examples broke off")))
    }
}

async fn one(runtimes: &Runtimes, trial: &Trial, config: &Arc<Config>, example: &Example, time: Duration) -> Verdict {
    let code = (trial.code.as_str(), trial.lock.as_deref());
    let Rehearsal { ended, missing, wants_files } =
        match rehearse(runtimes, config, &trial.definition, code, example, time).await {
            Ok(rehearsal) => rehearsal,
            Err(error) => return Verdict::Untried(error.in_full()),
        };
    if let Some(missing) = missing {
        return match &example.calls {
            Some(_) => {
                Verdict::Failed { expected: "what it says with the calls that it records".to_owned(), got: missing }
            }
            None => Verdict::Untried(missing),
        };
    }
    let (result, error) = match ended {
        Ok(execution) => (execution.result, execution.error),
        Err(error) => (None, Some(error)),
    };
    let verdict = match (&error, &result) {
        (Some(error), _) => example.judge(&Got::Raised(&error.kind, &error.message)),
        (None, result) => example.judge(&Got::Result(result.as_ref().unwrap_or(&serde_json::Value::Null))),
    };
    match verdict {
        Verdict::Failed { .. } if wants_files => {
            Verdict::Untried("the code works with files, and an example has none".to_owned())
        }
        verdict => verdict,
    }
}
