//! Getting off the async threads: stores and files block.

use std::sync::Arc;

use super::{Library, LibraryError};

/// Runs `work` on a thread that may block.
///
/// # Errors
/// What `work` returns, or [`LibraryError::Internal`] when the process is ending.
pub async fn blocking<T: Send + 'static>(
    library: &Arc<Library>,
    work: impl FnOnce(&Library) -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, LibraryError> {
    let library = Arc::clone(library);
    match tokio::task::spawn_blocking(move || work(&library)).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(LibraryError::Invalid(format!("the server is shutting down: {error}"))),
        },
    }
}
