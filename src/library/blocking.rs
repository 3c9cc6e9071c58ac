//! Getting off the async threads: stores and files block.

use std::{io, sync::Arc, thread};

use super::{Library, LibraryError};

/// Runs `work` on a thread that may block.
///
/// # Errors
/// What `work` returns, [`LibraryError::Internal`] when it panics, or [`LibraryError::ShuttingDown`].
pub async fn blocking<T: Send + 'static>(
    library: &Arc<Library>,
    work: impl FnOnce(&Library) -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, LibraryError> {
    let library = Arc::clone(library);
    match tokio::task::spawn_blocking(move || work(&library)).await {
        Ok(result) => result,
        // A panic goes no further: whoever asked gets an answer.
        Err(error) => Err(LibraryError::lost_task("what was asked for", &error)),
    }
}

/// Runs `work`, which takes seconds and nobody waits for, on a thread of its own that gives way to all others. Its end is
/// waited for.
///
/// # Errors
/// What `work` returns, [`LibraryError::Internal`] when it panics or no thread can be started.
pub async fn aside<T: Send + 'static>(
    library: &Arc<Library>,
    work: impl FnOnce(&Library) -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, LibraryError> {
    let library = Arc::clone(library);
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let started = thread::Builder::new().name("aside".to_owned()).spawn(move || {
        give_way();
        let _ = sender.send(work(&library));
    });
    started.map_err(|error: io::Error| LibraryError::internal_because("no thread can be started", &error))?;
    receiver.await.map_err(|error| LibraryError::internal_because("upkeep broke off", &error))?
}

/// On Linux a priority is that of a thread, and can only be given up for good. Elsewhere it would be the process's.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "the priority of a thread stays what it is");
    }
}
