//! Opening the stores of a home: to write, and where that can't be, to read.

use std::{io, path::Path, time::Duration};

use jiff::Timestamp;

use super::{Key, Session, private};
use crate::{
    domain::schema::Migrated,
    library::LibraryError,
    storage::{Database, StorageError},
};

/// File name of the database in the folder of the stores.
pub const DATABASE: &str = "repertoire.db";
/// Folder name of the history's repository there.
pub const HISTORY: &str = "procedures.git";
/// How long whoever opens a home waits for who writes in it.
const OPEN_PATIENCE: Duration = Duration::from_secs(8);
/// Which key the saved states of a home were sealed with, so that another one is noticed.
const KEY_MARK: &str = "state_key";

/// The stores of one home that are open, but for the history, which is opened when it is looked at.
pub struct Stores {
    pub database: Database,
    pub session: Session,
    pub key: Key,
}

/// Opens the stores in `folder` for `user`, making what is missing. Where nothing can be written they are opened to read.
///
/// # Errors
/// [`LibraryError`] when the folder or a store can't be used at all.
pub fn open(folder: &Path, user: &str) -> Result<Stores, LibraryError> {
    match open_to_write(folder, user) {
        Err(error) if error.is_unwritable() => match open_to_read(folder, &error) {
            Ok(stores) => {
                let error = error.to_string();
                tracing::warn!(error, "nothing can be written in this home; what is there can be read");
                Ok(stores)
            }
            Err(why) => {
                tracing::debug!(%why, "the home can't be opened to be read either");
                Err(error)
            }
        },
        opened => opened,
    }
}

fn open_to_write(folder: &Path, user: &str) -> Result<Stores, LibraryError> {
    let home_error = |error: io::Error| LibraryError::home(folder, &error);
    private::make_folder(folder).map_err(home_error)?;
    private::narrow(folder);
    let session = Session::start(folder).map_err(home_error)?;
    let database = Database::open(&folder.join(DATABASE))?;
    if let Some(Migrated { from, to, backup: Some(backup) }) = database.migrated() {
        let backup = backup.display();
        tracing::info!(from, to, %backup, "the database was migrated; this is how it was before");
    }
    // Under the write lock, so that two processes don't make two keys.
    let key = database.write_within(OPEN_PATIENCE, |writer| {
        writer.note_session(session.id(), user)?;
        let (key, aside) = Key::open(folder).map_err(home_error)?;
        let mark = key.mark();
        let known = writer.meta(KEY_MARK)?;
        if let Some(aside) = aside {
            let what = format!("the key of saved states was damaged and is another one now; it was kept as {aside}");
            writer.note_mending(Timestamp::now().as_second(), &what)?;
        }
        if known.as_ref() != Some(&mark) {
            if known.is_some() {
                let what = "the key of saved states is another one: runs that waited have to be executed again";
                tracing::warn!(what);
                writer.note_mending(Timestamp::now().as_second(), what)?;
            }
            writer.set_meta(KEY_MARK, &mark)?;
        }
        Ok::<_, LibraryError>(key)
    })?;
    Ok(Stores { database, session, key })
}

fn open_to_read(folder: &Path, why: &LibraryError) -> Result<Stores, LibraryError> {
    let database = Database::open_to_read(&folder.join(DATABASE), why.to_string())?;
    // One without a version can't be read, and is none.
    database.read::<_, StorageError>(|reader| reader.indexed_commit())?;
    Ok(Stores { database, session: Session::unseen(folder), key: Key::read(folder) })
}
