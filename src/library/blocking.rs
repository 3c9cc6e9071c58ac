//! Getting off the async threads: stores and files block.

use std::sync::Arc;

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
