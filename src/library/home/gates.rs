//! Versions that ask less than the ones before: for people to agree to.

use crate::{
    library::{Actor, Library, LibraryError},
    storage::Reader,
    validation,
    versions::ProcedureChange,
};

impl Library {
    /// A version that no longer asks for an approval which the one before asked for, also one that was removed since, is
    /// for people to agree to; what the history says of it.
    pub(super) fn check_gates(
        &self,
        reader: &Reader<'_>,
        by: &Actor,
        change: &ProcedureChange,
    ) -> Result<Option<String>, LibraryError> {
        let name = change.name.as_str();
        let (Some(files), Some(row)) = (&change.files, reader.procedure_named(name)?) else { return Ok(None) };
        let (before, after) = (row.code.as_deref().unwrap_or_default(), files.code.as_deref().unwrap_or_default());
        let dropped = validation::dropped_gates(before, after, &validation::entry_name(after, &row.definition));
        let [first, ..] = &dropped[..] else { return Ok(None) };
        let version = row.code_version.unwrap_or(row.version);
        let lines: String = dropped.iter().map(|gate| format!("\nline {}: {}", gate.line, gate.text)).collect();
        let question = format!(
            "Let `{name}` go on without asking what version {version} asks for, or less surely?{lines}\nIts new code{}",
            shown(after)
        );
        let what = format!("that `{name}` no longer asks what version {version} asks for, or less surely:{lines}");
        self.want_person(by, &what, question, || {
            format!(
                "keep `{}`, or put the code into a file and ask them to run `repertoire code {name} FILE` in a terminal \
                 (for an earlier version: `repertoire rollback {name} VERSION`)",
                first.text
            )
        })?;
        let (count, who) = (dropped.len(), by.decider.name());
        let approvals = if count == 1 { "an approval".to_owned() } else { format!("{count} approvals") };
        let mark = if by.decider.is_agent() { " (an agent)" } else { "" };
        Ok(Some(format!(" (drops {approvals}; decided by {who}{mark})")))
    }
}

/// Code in a question, named in full where it is too long to be shown in full.
pub fn shown(code: &str) -> String {
    const MOST: usize = 4000;
    if code.chars().count() <= MOST {
        return format!(":\n{code}");
    }
    let (bytes, hash) = (code.len(), blake3::hash(code.as_bytes()));
    format!(", the first part of {bytes} bytes ({hash}):\n{}…", code.chars().take(MOST).collect::<String>())
}
