//! A whole home into one file and back, and a copy of a database back into its place, while servers run.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    archive::{self, StoreEntry, Writing},
    key, private,
    stores::{DATABASE, HISTORY},
};
use crate::{
    config::{Config, FILE_NAME},
    library::{Library, LibraryError, Starters},
    storage,
    versions::{Versions, VersionsError},
};

/// The history of a store in an archive.
const PACK: &str = "procedures.pack";

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    pub bytes: u64,
    /// For whom the stores in it are: `None` is the home itself.
    pub stores: Vec<Option<String>>,
}

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made, where it says so.
    pub made_at: Option<String>,
    /// For whom the stores are that were restored.
    pub stores: Vec<Option<String>>,
    /// Where what was there before is now.
    pub kept: Vec<PathBuf>,
}

/// Writes all of a home to `file`: the stores of the home and of its tenants, and its configuration.
///
/// # Errors
/// [`LibraryError`] when there is such a file already, or a store can't be read.
pub fn back_up(config: &Config, file: &Path) -> Result<BackedUp, LibraryError> {
    let failed = |error: io::Error| LibraryError::backup(file, &error);
    if file.exists() {
        let message = format!("there is a file `{}` already", file.display());
        return Err(LibraryError::invalid_with_hint(message, "a backup overwrites nothing; choose another name"));
    }
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new().prefix(".repertoire-").tempdir_in(parent).map_err(failed)?;
    let partial = folder.path().join("partial");
    let mut writing = Writing::begin(&partial, Timestamp::now().to_string()).map_err(failed)?;
    let mut stores = Vec::new();
    for tenant in tenants(config) {
        let entry = add_store(&mut writing, &config.of_tenant(tenant.clone())?, folder.path(), file)?;
        writing.add_store(entry);
        stores.push(tenant);
    }
    if let Some(bytes) = archive::read(&config.home, FILE_NAME).map_err(failed)? {
        writing.add(FILE_NAME.to_owned(), &bytes[..]).map_err(failed)?;
    }
    let bytes = writing.finish().map_err(failed)?;
    // Not over one that somebody made meanwhile.
    fs::hard_link(&partial, file).or_else(|_| fs::rename(&partial, file)).map_err(failed)?;
    Ok(BackedUp { bytes, stores })
}

/// The home itself where it has stores, and its tenants.
fn tenants(config: &Config) -> Vec<Option<String>> {
    let own = (config.home.join(DATABASE).exists() || config.home.join(HISTORY).exists()).then_some(None);
    own.into_iter().chain(config.tenants().into_iter().map(Some)).collect()
}

fn add_store(writing: &mut Writing, config: &Config, folder: &Path, file: &Path) -> Result<StoreEntry, LibraryError> {
    let failed = |error: io::Error| LibraryError::backup(file, &error);
    let library = Library::open(config.clone(), Starters::Skip)?;
    let copy = folder.join(DATABASE);
    let copied = || -> Result<Option<String>, LibraryError> {
        library.database.copy_to(&copy)?;
        match library.versions.head() {
            Err(VersionsError::Absent(_)) => Ok(None),
            head => Ok(head?),
        }
    };
    // Under the write lock, so that both are of one moment; a home that can't be written has no other.
    let commit = match library.read_only() {
        Some(_) => copied()?,
        None => library.database.write(|_| copied())?,
    };
    let entry = StoreEntry { tenant: config.tenant.clone(), commit };
    writing.add(entry.name(DATABASE), fs::File::open(&copy).map_err(failed)?).map_err(failed)?;
    fs::remove_file(&copy).map_err(failed)?;
    if let Some(commit) = &entry.commit {
        writing.add(entry.name(PACK), &library.versions.pack_of(commit)?[..]).map_err(failed)?;
    }
    if let Some(bytes) = archive::read(&config.stores(), key::FILE).map_err(failed)? {
        writing.add(entry.name(key::FILE), &bytes[..]).map_err(failed)?;
    }
    Ok(entry)
}

/// Brings back what is in a backup. What is there is kept beside it, and stores that the backup has not stay as they are.
///
/// # Errors
/// [`LibraryError`] when the file is no backup or is damaged; nothing was changed then.
pub fn restore(config: &Config, file: &Path) -> Result<Restored, LibraryError> {
    let failed = |error: io::Error| LibraryError::no_backup(file, &error);
    private::make_folder(&config.home).map_err(|error| LibraryError::home(&config.home, &error))?;
    let folder = tempfile::Builder::new()
        .prefix("restoring-")
        .tempdir_in(&config.home)
        .map_err(|error| LibraryError::home(&config.home, &error))?;
    let list = archive::extract(file, folder.path()).map_err(failed)?;
    // All is looked at before anything is done.
    let mut prepared = Vec::new();
    for (number, entry) in list.stores.iter().enumerate() {
        let database = folder.path().join(entry.name(DATABASE));
        storage::check_copy(&database)?;
        let fresh = folder.path().join(format!("{number}.git"));
        if let Some(commit) = &entry.commit {
            let pack = archive::read(folder.path(), &entry.name(PACK)).map_err(failed)?.unwrap_or_default();
            Versions::at(fresh.clone()).unpack(&pack, commit)?;
        }
        let key = archive::read(folder.path(), &entry.name(key::FILE)).map_err(failed)?;
        prepared.push((
            config.of_tenant(entry.tenant.clone())?,
            database,
            entry.commit.is_some().then_some(fresh),
            key,
        ));
    }
    let mut restored = Restored { made_at: Some(list.made_at), ..Restored::default() };
    for (config, database, fresh, key) in prepared {
        replace(&config, &database, fresh.as_deref(), key.as_deref(), &mut restored)?;
        restored.stores.push(config.tenant);
    }
    if let Some(bytes) = archive::read(folder.path(), FILE_NAME).map_err(failed)? {
        restored.kept.extend(replace_file(&config.file(), &bytes)?);
    }
    Ok(restored)
}

fn replace(
    config: &Config,
    database: &Path,
    fresh: Option<&Path>,
    key: Option<&[u8]>,
    restored: &mut Restored,
) -> Result<(), LibraryError> {
    let folder = config.stores();
    let (library, kept) = open_or_set_aside(config)?;
    restored.kept.extend(kept);
    if let Some(fresh) = fresh {
        let aside = folder.join(format!("{HISTORY}.replaced-{}", Timestamp::now().as_millisecond()));
        library.database.write(|_| library.versions.replace_with(fresh, &aside).map_err(LibraryError::from))?;
        restored.kept.extend(aside.exists().then_some(aside));
    }
    if let Some(key) = key {
        restored.kept.extend(replace_file(&folder.join(key::FILE), key)?);
    }
    restored.kept.push(library.database.restore(database)?);
    drop(library);
    // Until it is complete the others see an older index.
    Library::open(config.clone(), Starters::Skip).map(drop)
}

/// Opens the stores, with another database where theirs is of no use; where that one is kept is returned.
fn open_or_set_aside(config: &Config) -> Result<(Library, Option<PathBuf>), LibraryError> {
    match Library::open_to_mend(config.clone(), Starters::Skip) {
        Ok((library, _)) => Ok((library, None)),
        Err(error) if error.is_broken_database() => {
            let aside = set_database_aside(config)?;
            Ok((Library::open_to_mend(config.clone(), Starters::Skip)?.0, Some(aside)))
        }
        Err(error) => Err(error),
    }
}

/// Brings back a copy of the database, for all who have it open. What happened since is in the one that is kept; what
/// procedures are comes from the history.
///
/// # Errors
/// [`LibraryError::Storage`] when the file is no copy; nothing was changed then.
pub fn restore_database(config: &Config, file: &Path) -> Result<Restored, LibraryError> {
    storage::check_copy(file)?;
    let (library, kept) = open_or_set_aside(config)?;
    let mut restored = Restored { stores: vec![config.tenant.clone()], ..Restored::default() };
    restored.kept.extend(kept);
    restored.kept.push(library.database.restore(file)?);
    drop(library);
    Library::open(config.clone(), Starters::Skip)?;
    Ok(restored)
}

/// Puts a file in the place of another, which is kept if it is a different one; returns where.
fn replace_file(path: &Path, content: &[u8]) -> Result<Option<PathBuf>, LibraryError> {
    let replaced = || -> io::Result<Option<PathBuf>> {
        let beside = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let mut kept = None;
        match fs::read(path) {
            Ok(known) if known == content => return Ok(None),
            Ok(_) => {
                let aside = beside(&format!(".replaced-{}", Timestamp::now().as_millisecond()));
                fs::copy(path, &aside)?;
                kept = Some(aside);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let partial = beside(".restoring");
        let _ = fs::remove_file(&partial);
        private::create_new(&partial)?.write_all(content)?;
        fs::rename(&partial, path)?;
        Ok(kept)
    };
    replaced().map_err(|error| LibraryError::home(path, &error))
}

/// Moves a database that can't be used out of the way, and puts an empty one in its place at once, so that nobody who has
/// it open takes it for removed. The index comes back from the history; what was measured does not, so the file is kept.
///
/// # Errors
/// [`LibraryError::Home`].
pub fn set_database_aside(config: &Config) -> Result<PathBuf, LibraryError> {
    let folder = config.stores();
    let now = Timestamp::now().as_second();
    let (file, aside) = (folder.join(DATABASE), folder.join(format!("{DATABASE}.broken-{now}")));
    let moved = || {
        for suffix in ["-wal", "-shm"] {
            let part = folder.join(format!("{DATABASE}{suffix}"));
            if part.exists() {
                fs::rename(&part, folder.join(format!("{DATABASE}.broken-{now}{suffix}")))?;
            }
        }
        let fresh = folder.join(format!("{DATABASE}.new"));
        let _ = fs::remove_file(&fresh);
        match fs::hard_link(&file, &aside) {
            Ok(()) => private::create_new(&fresh).and_then(|_| fs::rename(&fresh, &file)),
            Err(_) => fs::rename(&file, &aside),
        }
    };
    moved().map_err(|error| LibraryError::home(&file, &error))?;
    Ok(aside)
}
