//! The domain services: what an agent or a person can do with procedures.
//!
//! [`Library`] holds the stores of one home and blocks; [`runs::Engine`] executes and is async. Neither prints, reads
//! the environment or knows the protocol.

mod blocking;
mod checkpoints;
mod code;
mod error;
mod home;
mod inbox;
mod learning;
mod procedures;
pub mod runs;
mod services;
mod triggers;
mod workflows;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::{
    config::Config,
    domain::schema::Migrated,
    storage::{Database, StorageError},
    versions::Versions,
};

use home::Key;

pub(in crate::library) use blocking::blocking;

pub use checkpoints::{Artifact, ArtifactDraft, CheckpointDraft, Checkpoints, Saved, State, checkpoint_id};
pub use code::{Activity, CodeSource, GenerateRequest, Generated, ModelUsage, Validated, check_source};
pub use error::{ErrorKind, LibraryError};
pub use home::{Maintenance, Session};
pub use inbox::{InboxEntry, InboxFilter};
pub use learning::{CandidateView, Decided, LessonEdits, Review};
pub use procedures::{
    CloneRequest, DefinitionDraft, DefinitionPatch, Found, ProcedureRef, RecallFilter, RecallScope, Remembered,
    Similar, VersionRef, VersionView, starter_procedures,
};
pub use services::Services;
pub use triggers::Triggered;
pub use workflows::{Completed, Group, MergeRequest, OutcomeDraft, OutcomeQuery, RecalledOutcome, Section, outcome_id};

/// File name of the database in the folder of the stores.
const DATABASE: &str = "repertoire.db";
/// Folder name of the history's repository there.
const HISTORY: &str = "procedures.git";

/// The stores of one home, or of one tenant of it. Every method blocks: call it off the async threads.
pub struct Library {
    /// Where the stores are.
    folder: PathBuf,
    /// Who uses this process.
    user: String,
    config: Mutex<Arc<Config>>,
    database: Database,
    versions: Versions,
    session: Session,
    /// The commit that the index was last seen to be complete up to.
    synced: Mutex<Option<String>>,
    /// What saved states are sealed with.
    key: Key,
    /// Says that procedures may have changed.
    changed: Notify,
    /// Says that there may be a new candidate.
    learned: Notify,
}

/// How a home is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starters {
    /// A new home gets the procedures that ship with the program.
    Install,
    /// A new home starts empty.
    Skip,
}

impl Library {
    /// Opens the stores that `config` names, making what is missing.
    ///
    /// # Errors
    /// [`LibraryError`] when the folder or a store in it can't be used.
    pub fn open(config: Config, starters: Starters) -> Result<Self, LibraryError> {
        let folder = config.stores();
        let home_error = |error: std::io::Error| LibraryError::Home {
            path: folder.display().to_string(),
            message: error.to_string(),
        };
        make_private_folder(&folder).map_err(home_error)?;
        let session = Session::start(&folder).map_err(home_error)?;
        let database = Database::open(&folder.join(DATABASE))?;
        if let Some(Migrated { from, to, backup: Some(backup) }) = database.migrated() {
            let backup = backup.display();
            tracing::info!(from, to, %backup, "the database was migrated; this is how it was before");
        }
        // Under the write lock, because git can't have several processes make one repository.
        let history = folder.join(HISTORY);
        let (versions, key) = database.write(|writer| {
            writer.note_session(session.id(), &config.user)?;
            let key = Key::open(&folder).map_err(home_error)?;
            Ok::<_, LibraryError>((Versions::open(&history)?, key))
        })?;
        let library = Self {
            folder,
            user: config.user.clone(),
            config: Mutex::new(Arc::new(config)),
            database,
            versions,
            session,
            synced: Mutex::default(),
            key,
            changed: Notify::new(),
            learned: Notify::new(),
        };
        library.refresh()?;
        if starters == Starters::Install && library.versions.head()?.is_none() {
            library.install_starters()?;
        }
        library.close_dead_sessions()?;
        Ok(library)
    }

    /// The configuration as it is now: a user who grants something need not restart anything.
    ///
    /// # Errors
    /// [`LibraryError::Config`] when the file was changed into something that is not valid. Nothing is executed then.
    pub fn config(&self) -> Result<Arc<Config>, LibraryError> {
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if !config.is_current() {
            *config = Arc::new(config.reload()?);
            tracing::info!("config.toml was changed and read again");
        }
        Ok(Arc::clone(&config))
    }

    /// Who uses this process.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The database file.
    #[must_use]
    pub fn database_file(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// The history's repository.
    #[must_use]
    pub fn history_folder(&self) -> PathBuf {
        self.folder.join(HISTORY)
    }

    /// Schema version of the database, and SQLite's own check of the file.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn database_health(&self) -> Result<(u32, String), LibraryError> {
        Ok((self.database.schema_version()?, self.database.integrity()?))
    }

    /// Marks what processes that are gone left running as interrupted.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    fn close_dead_sessions(&self) -> Result<(), LibraryError> {
        let open = self.database.read(|reader| reader.sessions_with_open_runs())?;
        for session in open.iter().filter(|session| self.session.is_dead(session)) {
            let count = self.database.write::<_, StorageError>(|writer| writer.interrupt_runs(session, now_ms()))?;
            tracing::info!(count, session, "runs of a server that ended are marked as interrupted");
        }
        self.session.remove_dead_files();
        Ok(())
    }
}

/// Makes the folder, where it is not there, for this user alone: it will hold what procedures were given and what they
/// found.
fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Seconds since 1970 as RFC 3339.
#[must_use]
pub fn rfc3339(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// Milliseconds since 1970 as RFC 3339.
#[must_use]
pub fn rfc3339_ms(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default().to_string()
}
