//! Changes of files of clients: shown, or made and noted in the home.

use std::path::{Path, PathBuf};

use super::super::{
    error::CliError,
    output::{GREEN, Output, RED, printable},
};
use crate::{
    clients::{
        Refused,
        edit::{Change, Format},
        files,
        record::{Entry, FILE_NAME, Record},
    },
    library::make_folder,
};

/// A file, and what should be in it.
pub struct Target {
    pub file: PathBuf,
    pub format: Format,
    pub changes: Vec<Change>,
}

impl Target {
    /// Whether all is in it.
    pub fn is_done(&self) -> bool {
        let text = files::read(&self.file).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
        text.is_some_and(|text| self.format.has(&text, &self.changes).unwrap_or_default())
    }

    fn refused(&self, error: &Refused) -> CliError {
        let hint = match error {
            Refused::Invalid { .. } | Refused::Encoding => "mend the file, then try again",
            Refused::Shape(..) | Refused::Unusual(_) => "write that part in the usual way, or make the change by hand",
        };
        CliError::Wrong { what: format!("`{}` was left as it is: {error}", self.file.display()), hint: hint.to_owned() }
    }

    fn io(&self, what: &str) -> impl FnOnce(std::io::Error) -> CliError + use<> {
        CliError::io(format!("`{}` {what}", self.file.display()))
    }
}

/// The files of clients, and the record of what was done to them.
pub struct Settings {
    home: PathBuf,
    record: Record,
    is_dry: bool,
    out: Output,
}

impl Settings {
    pub fn open(home: &Path, is_dry: bool, out: Output) -> Self {
        Self { home: home.to_owned(), record: Record::read(home), is_dry, out }
    }

    /// Puts everything into a file, or takes it out; says what came of it, and whether anything did.
    pub fn change(&mut self, title: &str, target: &Target, takes_out: bool) -> Result<bool, CliError> {
        let before = files::read(&target.file).map_err(target.io("can't be read"))?;
        let text =
            String::from_utf8(before.clone().unwrap_or_default()).map_err(|_| target.refused(&Refused::Encoding))?;
        let noted = self.record.files.get(&target.file).filter(|_| before.is_some()).cloned();
        let changed = if takes_out {
            taken_out(target, &text, noted.as_ref())
        } else {
            put_in(target, &text, before.is_some(), noted.as_ref())
        };
        let Some((after, entry)) = changed.map_err(|error| target.refused(&error))? else {
            let state = if takes_out { "has nothing to take out" } else { "is set up already" };
            self.out.line(format_args!("{title}: {} {state}.", target.file.display()));
            return Ok(false);
        };
        if self.is_dry {
            self.show(target, &text, &after);
            return Ok(true);
        }
        if takes_out {
            write_without(target, before.as_deref(), &after, &entry)?;
            self.record.files.remove(&target.file);
        } else {
            let entry = self.write_with(target, before.as_deref(), &after, entry)?;
            self.record.files.insert(target.file.clone(), entry);
        }
        self.note()?;
        let done = if takes_out { "has it no more" } else { "has it now" };
        self.out.line(format_args!("{title}: {} {done}.", target.file.display()));
        Ok(true)
    }

    fn write_with(
        &self,
        target: &Target,
        before: Option<&[u8]>,
        after: &str,
        mut entry: Entry,
    ) -> Result<Entry, CliError> {
        if let Some(before) = before {
            files::check_writable(&target.file).map_err(target.io("can't be written"))?;
            let copy = files::keep_copy(&target.file, before).map_err(target.io("can't be copied"))?;
            if let Some(copy) = &copy {
                self.out.line(format_args!("Kept what was there in {}.", copy.display()));
            }
            entry.backups.extend(copy);
        } else {
            entry.made_folders = files::make_folders(&target.file).map_err(target.io("can't be made"))?;
        }
        files::replace(&target.file, before, after.as_bytes()).map_err(target.io("can't be written"))?;
        Ok(entry)
    }

    /// Writes the record.
    fn note(&self) -> Result<(), CliError> {
        let file = self.home.join(FILE_NAME);
        let written = make_folder(&self.home).and_then(|()| {
            let before = files::read(&file)?;
            files::replace(&file, before.as_deref(), self.record.to_text().as_bytes())
        });
        written.map_err(CliError::io(format!("can't write `{}`", file.display())))
    }

    fn show(&self, target: &Target, before: &str, after: &str) {
        let name = target.file.display().to_string();
        let diff = similar::TextDiff::from_lines(before, after);
        let text = diff.unified_diff().header(&name, &name).to_string();
        for line in text.lines() {
            let shown = printable(line);
            match line.chars().next() {
                Some('+') => self.out.line(format_args!("{GREEN}{shown}{GREEN:#}")),
                Some('-') => self.out.line(format_args!("{RED}{shown}{RED:#}")),
                _ => self.out.line(shown),
            }
        }
    }
}

/// A text with everything in it, and what is to be noted; nothing where it has it.
fn put_in(
    target: &Target,
    text: &str,
    exists: bool,
    noted: Option<&Entry>,
) -> Result<Option<(String, Entry)>, Refused> {
    if exists && target.format.has(text, &target.changes)? {
        return Ok(None);
    }
    let mut entry = noted.cloned().unwrap_or_else(|| Entry { created: !exists, ..Entry::default() });
    // Elements that were put in for a program at another place are not left beside the new ones.
    let is_outdated = |element: Option<(&[String], &serde_json::Value)>| {
        let Some((old_keys, old_value)) = element else { return false };
        let replaces = |change: &Change| matches!(change, Change::Element { keys, value } if keys == old_keys && value != old_value);
        target.changes.iter().any(replaces)
    };
    let (outdated, kept) = entry.done.into_iter().partition::<Vec<_>, _>(|done| is_outdated(done.element()));
    let base = target.format.take_back(text, &outdated)?;
    let (after, done) = target.format.apply(&base, &target.changes)?;
    entry.done = kept.into_iter().chain(done).collect();
    Ok(Some((after, entry)))
}

/// A text with nothing of it, and what was noted; nothing where it has none of it.
fn taken_out(target: &Target, text: &str, noted: Option<&Entry>) -> Result<Option<(String, Entry)>, Refused> {
    let after = match noted {
        Some(entry) => target.format.take_back(text, &entry.done)?,
        None => target.format.remove(text, &target.changes)?,
    };
    let entry = noted.cloned().unwrap_or_default();
    Ok((after != text).then_some((after, entry)))
}

/// Writes a file without what was put into it, and removes what had to be made for that.
fn write_without(target: &Target, before: Option<&[u8]>, after: &str, entry: &Entry) -> Result<(), CliError> {
    if entry.created && after.trim().is_empty() {
        return files::remove(&target.file, &entry.made_folders).map_err(target.io("can't be removed"));
    }
    files::replace(&target.file, before, after.as_bytes()).map_err(target.io("can't be written"))?;
    // A copy of what is there again is of no use.
    let is_same = |copy: &&PathBuf| files::read(copy).is_ok_and(|there| there.as_deref() == Some(after.as_bytes()));
    for copy in entry.backups.iter().filter(is_same) {
        files::remove(copy, &[]).map_err(CliError::io(format!("can't remove `{}`", copy.display())))?;
    }
    Ok(())
}
