//! Procedures in a file that any home can import again: definition, code, and the packages that the code needs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    domain::{Definition, Procedure, ProcedureFilter},
    library::{Library, LibraryError, ProcedureRef},
};

/// What such a file calls itself.
const FORMAT: &str = "repertoire-procedures";
/// The form of the file. A program refuses a newer one.
const FORMAT_VERSION: u32 = 1;
/// How many are read at a time.
const PAGE: u32 = 500;

/// A file of procedures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    format: Format,
    version: FormatVersion,
    /// Sorted by name.
    pub procedures: Vec<Exported>,
}

/// A procedure without its history, and without whose it is: that belongs to a home.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    pub definition: Definition,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The packages that the code needs, each in one version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
}

/// [`FORMAT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Format;

impl TryFrom<String> for Format {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == FORMAT { Ok(Self) } else { Err(format!("its format is `{text}`, not `{FORMAT}`")) }
    }
}

impl From<Format> for String {
    fn from(_: Format) -> Self {
        FORMAT.to_owned()
    }
}

/// [`FORMAT_VERSION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
struct FormatVersion;

impl TryFrom<u32> for FormatVersion {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == FORMAT_VERSION {
            Ok(Self)
        } else {
            Err(format!("it has form {version}, and this program knows {FORMAT_VERSION}; use a newer one"))
        }
    }
}

impl From<FormatVersion> for u32 {
    fn from(_: FormatVersion) -> Self {
        FORMAT_VERSION
    }
}

impl Export {
    /// Whether a value says that it is one.
    pub(super) fn is_one(value: &Value) -> bool {
        value.get("format").is_some_and(|format| format == FORMAT)
    }
}

impl Library {
    /// These procedures, or else all that this user may read, each as it is now.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`].
    pub fn export(&self, names: &[ProcedureRef]) -> Result<Export, LibraryError> {
        let rows = self.rows(names)?;
        let exported = rows.into_iter().map(|row| Exported {
            definition: Definition { owner: None, ..row.definition },
            code: row.code,
            lock: row.lock,
        });
        let mut procedures: Vec<Exported> = exported.collect();
        procedures.sort_by(|one, other| one.definition.name.cmp(&other.definition.name));
        procedures.dedup_by(|one, other| one.definition.name == other.definition.name);
        Ok(Export { format: Format, version: FormatVersion, procedures })
    }

    /// These procedures, or else all that this user may read.
    pub(super) fn rows(&self, names: &[ProcedureRef]) -> Result<Vec<Procedure>, LibraryError> {
        let mut rows = Vec::new();
        if names.is_empty() {
            loop {
                let offset = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                let (page, total) = self.list(&ProcedureFilter::default(), PAGE, offset)?;
                let is_last = page.is_empty();
                rows.extend(page);
                if is_last || rows.len() as u64 >= total {
                    break;
                }
            }
        } else {
            for name in names {
                rows.push(self.procedure(name)?);
            }
        }
        Ok(rows)
    }
}
