//! `repertoire import --trace`

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::cli::{
    context::Context,
    error::CliError,
    output::{DIM, printable},
};
use crate::{
    domain::recording::formats,
    library::{LibraryError, Recorded},
};

/// Folders below a client's own in which it keeps sessions.
const MAX_DEPTH: usize = 5;

/// Takes in what an agent did in a session: the file of it, or the latest of a client. With `all` also what is short or mostly
/// done by hand.
pub fn run(trace: &Path, all: bool, context: &Context) -> Result<ExitCode, CliError> {
    let out = context.output;
    let file = find(trace)?;
    let unreadable = |why: String| {
        CliError::Library(LibraryError::invalid_with_hint(
            format!("`{}` {why}", file.display()),
            "name a session file of Claude Code (`~/.claude/projects/…/*.jsonl`) or Codex (`~/.codex/sessions/…/*.jsonl`), or a \
             JSON list of messages",
        ))
    };
    let text = fs::read_to_string(&file).map_err(|error| unreadable(format!("can't be read: {error}")))?;
    let recordings = formats::read(&text).ok_or_else(|| unreadable("is no session that is known here".to_owned()))?;
    let session = file.file_stem().map(|name| name.to_string_lossy().into_owned());
    let library = context.library()?;
    let (total, mut made) = (recordings.len(), 0);
    for recording in recordings {
        match library.submit_recording(recording, session.as_deref(), !all) {
            Ok(Some(recorded)) => {
                made += 1;
                out.line(told(&recorded));
            }
            Ok(None) => {}
            Err(error) => out.error(&error.to_string(), None),
        }
    }
    out.line(format_args!("{DIM}{made} of {total} tasks of this session are worth a look.{DIM:#}"));
    Ok(ExitCode::SUCCESS)
}

fn told(recorded: &Recorded) -> String {
    let name = printable(&recorded.name);
    let steps = recorded.definition.steps.len();
    match recorded.candidate_id {
        Some(id) if recorded.status == crate::domain::Status::Candidate => {
            format!("candidate {id}: `{name}`, {steps} steps (`repertoire review {id}` shows it)")
        }
        _ => format!("`{name}` is known already"),
    }
}

/// The file, or the newest session of a client.
fn find(named: &Path) -> Result<PathBuf, CliError> {
    let below: &[&str] = match named.to_str() {
        Some("claude-code") => &[".claude", "projects"],
        Some("codex") => &[".codex", "sessions"],
        _ => return Ok(named.to_owned()),
    };
    let folder = directories::BaseDirs::new()
        .map(|folders| below.iter().fold(folders.home_dir().to_owned(), |at, name| at.join(name)));
    let newest = folder.as_deref().and_then(|folder| newest_below(folder, MAX_DEPTH));
    newest.map(|(_, file)| file).ok_or_else(|| {
        CliError::Library(LibraryError::invalid_with_hint(
            format!("`{}` has no session in its folder ({})", named.display(), folder.unwrap_or_default().display()),
            "name the file of the session",
        ))
    })
}

fn newest_below(folder: &Path, depth: usize) -> Option<(std::time::SystemTime, PathBuf)> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let newest = entries.filter_map(|entry| {
        let (path, kind) = (entry.path(), entry.file_type().ok()?);
        if kind.is_dir() {
            return depth.checked_sub(1).and_then(|depth| newest_below(&path, depth));
        }
        let is_session = path.extension().is_some_and(|extension| extension == "jsonl");
        let at = entry.metadata().ok()?.modified().ok()?;
        is_session.then_some((at, path))
    });
    newest.max()
}
