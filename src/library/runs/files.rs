//! The files that travel with a procedure, where its runs can read them: a folder that is named for what is in it, beside
//! the packages and outside of the home.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    config::Config,
    domain::{RuntimeKind, script::Script},
    library::{Library, blocking},
    runtime::RuntimeError,
    versions::Attached,
};

/// The folder with the files of `code`, which is made where there is none; `None` where it has none.
///
/// # Errors
/// [`RuntimeError::Unavailable`] where they are gone, or can't be written.
pub async fn of(
    kind: RuntimeKind,
    code: &str,
    library: Option<&Arc<Library>>,
    config: &Arc<Config>,
) -> Result<Option<PathBuf>, RuntimeError> {
    let script = Script::read(code).unwrap_or_default();
    let (Some(id), Some(library), RuntimeKind::Python) = (script.files().map(str::to_owned), library, kind) else {
        return Ok(None);
    };
    let kept = config.travelling_files();
    let made = blocking(library, move |library| {
        let folder = kept.join(&id);
        if folder.is_dir() {
            return Ok(Ok(folder));
        }
        let files = library.versions.files(&id)?;
        Ok(write(&kept, &folder, &files).map(|()| folder))
    });
    let made = made.await.map_err(|error| RuntimeError::Unavailable(error.to_string()))?;
    made.map(Some).map_err(|error| RuntimeError::Unavailable(format!("its files can't be put in place: {error}")))
}

/// Under another name until it is whole.
fn write(kept: &Path, folder: &Path, files: &[Attached]) -> io::Result<()> {
    fs::create_dir_all(kept)?;
    let making = tempfile::Builder::new().prefix(".making-").tempdir_in(kept)?;
    for file in files {
        // What git gave has no `..` and begins with no `/`; another history may.
        let parts: Vec<&str> = file.path.split('/').collect();
        if parts.iter().any(|part| matches!(*part, "" | "." | "..") || part.contains(['\\', ':'])) {
            continue;
        }
        let path = parts.iter().fold(making.path().to_owned(), |path, part| path.join(part));
        fs::create_dir_all(path.parent().unwrap_or(kept))?;
        fs::write(path, &file.bytes)?;
    }
    match fs::rename(making.path(), folder) {
        Err(_) if folder.is_dir() => Ok(()),
        Ok(()) => {
            // It is no temporary folder any more.
            let _ = making.keep();
            Ok(())
        }
        Err(error) => Err(error),
    }
}
