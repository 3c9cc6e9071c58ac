//! The domain services: what an agent or a person can do with procedures.
//!
//! [`Library`] holds the stores of one home and blocks; [`runs::Engine`] executes and is async. Neither prints, reads
//! the environment or knows the protocol.

mod blocking;
mod changes;
mod checkpoints;
mod code;
mod consent;
mod duties;
mod error;
mod exchange;
mod home;
mod inbox;
mod learning;
mod model_use;
mod procedures;
pub mod runs;
mod services;
mod triggers;
mod upkeep;
mod workflows;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::{
    config::Config,
    storage::{Database, StorageError},
    versions::Versions,
};

use home::{DATABASE, HISTORY, Key};

pub(in crate::library) use blocking::{aside, blocking};

pub use changes::{Changed, Changes};
pub use checkpoints::{Artifact, ArtifactDraft, CheckpointDraft, Checkpoints, Saved, State, checkpoint_id};
pub use code::{Activity, CodeSource, GenerateRequest, Generated, ModelUsage, TriedExamples, Validated, check_source};
pub use consent::{Actor, Opened, digest};
pub use duties::{Duties, keep_home, stores_to_keep};
pub use error::{ErrorKind, LibraryError};
pub use exchange::{Became, Export, Incoming, Item, SkillFolder, read_procedures, write_folder};
pub use home::{
    BackedUp, Health, History, Maintenance, Open, Rebuilt, Restored, Session, Trial, Trier, back_up, create_new,
    make_folder, open_to_others, restore, restore_database, set_database_aside,
};
pub use inbox::{InboxEntry, InboxFilter, Pending};
pub use learning::{
    CandidateView, Change, Concluded, Decided, Dossier, Heard, LessonEdits, MOST_LESSONS, Nearest, Neighbour,
    Overheard, Recorded, Review, Sign, Source, Submission,
};
#[cfg(any(test, fuzzing))]
pub(crate) use procedures::check_definition;
pub use procedures::{
    Callable, CallableParameter, CloneRequest, DefinitionDraft, DefinitionPatch, Found, Looked, LookedAt, Naming,
    NewCode, ProcedureRef, RecallFilter, RecallScope, Remembered, Similar, TemplateVariable, VersionRef, VersionView,
    signals_of_likelihood, signals_of_relevance, starter_procedures, with_dependencies,
};
pub use runs::{Examples, downstream, packages_kept, version_of_uv};
pub use services::Services;
pub use triggers::{Clock, Triggered};
pub use upkeep::{Taken, Taking, Tidied};
pub use workflows::{Completed, Group, MergeRequest, OutcomeDraft, OutcomeQuery, RecalledOutcome, Section, outcome_id};

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
    /// The commit that the index was last seen to be complete up to, and which database that was in.
    synced: Mutex<Option<(u64, String)>>,
    /// Why the index can't follow the history, where it can't.
    behind: Mutex<Option<String>>,
    /// What saved states are sealed with.
    key: Key,
    /// What executes examples, where something does.
    trier: Option<Box<dyn Trier>>,
    /// Says that procedures may have changed.
    changed: Notify,
    /// Says that there may be a new candidate.
    learned: Notify,
    /// Says that there may be a lesson to judge.
    told: Notify,
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
        let (library, trouble) = Self::open_to_mend(config, starters)?;
        trouble.map_or(Ok(library), Err)
    }

    /// The same, where code is held to the examples of its definition.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_trying(config: Config, starters: Starters, trier: Box<dyn Trier>) -> Result<Self, LibraryError> {
        let library = Self { trier: Some(trier), ..Self::opened(config)? };
        library.begin(starters)?;
        Ok(library)
    }

    /// The same, also where the history can't be used; then the reason comes with it.
    ///
    /// # Errors
    /// [`LibraryError`] when the folder or the database can't be used.
    pub fn open_to_mend(config: Config, starters: Starters) -> Result<(Self, Option<LibraryError>), LibraryError> {
        let library = Self::opened(config)?;
        let trouble = library.begin(starters).err();
        Ok((library, trouble))
    }

    /// The same library, which holds code to the examples of its definition from now on.
    #[must_use]
    pub fn trying(self, trier: Box<dyn Trier>) -> Self {
        let library = Self { trier: Some(trier), ..self };
        if library.read_only().is_none()
            && let Err(error) = library.try_untried()
        {
            tracing::warn!(%error, "what was committed is not tried");
        }
        library
    }

    fn opened(config: Config) -> Result<Self, LibraryError> {
        let folder = config.stores();
        let stores = home::open(&folder, &config.user)?;
        Ok(Self {
            user: config.user.clone(),
            config: Mutex::new(Arc::new(config)),
            database: stores.database,
            versions: Versions::at(folder.join(HISTORY)),
            session: stores.session,
            synced: Mutex::default(),
            behind: Mutex::default(),
            key: stores.key,
            trier: None,
            changed: Notify::new(),
            learned: Notify::new(),
            told: Notify::new(),
            folder,
        })
    }

    fn begin(&self, starters: Starters) -> Result<(), LibraryError> {
        let is_new = self.database.read(|reader| reader.indexed_commit())?.is_none();
        self.refresh()?;
        if self.database.read_only().is_some() {
            return Ok(());
        }
        // What was ever indexed is no new home, whatever became of its history.
        if is_new && starters == Starters::Install && self.versions.head()?.is_none() {
            self.install_starters()?;
        }
        self.try_untried()?;
        self.close_dead_sessions()
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

    /// Why nothing can be written in this home, where that is so.
    #[must_use]
    pub fn read_only(&self) -> Option<&str> {
        self.database.read_only()
    }

    /// Why the index does not follow the history, where it can't.
    #[must_use]
    pub fn behind(&self) -> Option<String> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
