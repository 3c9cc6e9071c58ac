//! A home in one file: a ZIP archive with a list of what is in it and what each file's hash is, so that a damaged one is
//! seen before anything is done with it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};
use zip::{CompressionMethod, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::private;

/// Name of the list in the archive.
const LIST: &str = "repertoire-backup.json";
/// The only layout that there is so far.
const FORMAT: u32 = 1;
/// Longest list that is read.
const MAX_LIST_BYTES: u64 = 16 << 20;

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// When, as RFC 3339.
    pub made_at: String,
    pub stores: Vec<StoreEntry>,
    /// The hash (BLAKE3) of each file.
    files: BTreeMap<String, String>,
}

/// The stores of the home itself, or of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreEntry {
    pub tenant: Option<String>,
    /// The newest commit of its history, where it has any.
    pub commit: Option<String>,
}

impl StoreEntry {
    /// The name of one of its files in an archive.
    pub fn name(&self, file: &str) -> String {
        match &self.tenant {
            Some(tenant) => format!("tenants/{tenant}/{file}"),
            None => format!("home/{file}"),
        }
    }
}

/// An archive that is being written.
pub struct Writing {
    archive: ZipWriter<File>,
    list: List,
}

impl Writing {
    pub fn begin(path: &Path, made_at: String) -> io::Result<Self> {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let list = List { format: FORMAT, program, made_at, stores: Vec::new(), files: BTreeMap::new() };
        Ok(Self { archive: ZipWriter::new(private::create_new(path)?), list })
    }

    pub fn add(&mut self, name: String, mut content: impl io::Read) -> io::Result<()> {
        self.archive.start_file(&name, options()).map_err(other)?;
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; 1 << 16];
        loop {
            match content.read(&mut chunk)? {
                0 => break,
                count => {
                    hasher.update(&chunk[..count]);
                    self.archive.write_all(&chunk[..count])?;
                }
            }
        }
        self.list.files.insert(name, hasher.finalize().to_hex().to_string());
        Ok(())
    }

    pub fn add_store(&mut self, store: StoreEntry) {
        self.list.stores.push(store);
    }

    /// Writes the list; returns how many bytes the archive has.
    pub fn finish(mut self) -> io::Result<u64> {
        self.archive.start_file(LIST, options()).map_err(other)?;
        self.archive.write_all(&serde_json::to_vec_pretty(&self.list)?)?;
        let file = self.archive.finish().map_err(other)?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

/// Packs are compressed, and what compresses the rest is for whoever keeps the file to choose.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true).unix_permissions(0o600)
}

fn other(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

/// Reads the archive `path` and writes all its files below `folder`, each under its name. Nothing that its list does not
/// have, or has with another hash, is believed.
///
/// # Errors
/// Why it is no backup, or is damaged.
pub fn extract(path: &Path, folder: &Path) -> io::Result<List> {
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut archive = ZipArchive::new(File::open(path)?).map_err(other)?;
    let mut text = String::new();
    match archive.by_name(LIST) {
        Ok(file) => file.take(MAX_LIST_BYTES).read_to_string(&mut text)?,
        Err(_) => return Err(invalid(format!("it has no `{LIST}`, so it is no backup of a home"))),
    };
    let list: List = serde_json::from_str(&text).map_err(|error| invalid(format!("`{LIST}` is damaged: {error}")))?;
    if list.format != FORMAT {
        return Err(invalid(format!("it is of format {}, this program knows {FORMAT}", list.format)));
    }
    for (name, hash) in &list.files {
        let is_plain =
            name.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':']));
        if !is_plain {
            return Err(invalid(format!("it names a file `{name}`")));
        }
        let to = folder.join(name);
        private::make_folder(to.parent().unwrap_or(folder))?;
        let mut file = archive.by_name(name).map_err(|error| invalid(format!("`{name}` is not in it: {error}")))?;
        let mut written = private::create_new(&to)?;
        io::copy(&mut file, &mut written).map_err(|error| invalid(format!("`{name}` is damaged: {error}")))?;
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut File::open(&to)?, &mut hasher)?;
        if hasher.finalize().to_hex().as_str() != hash {
            return Err(invalid(format!("`{name}` is damaged: its hash is another one")));
        }
    }
    Ok(list)
}

/// Reads a file that was extracted, if the archive had it.
pub fn read(folder: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    match fs::read(folder.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
