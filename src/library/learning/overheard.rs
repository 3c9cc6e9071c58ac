//! What the hooks of clients tell while a session goes on: kept in a file for each session, and made into recordings when it ends.
//!
//! A hook has a few milliseconds. So what is said and done is only added to a file, which takes no lock; who ends a session, or
//! the next to come by, does the rest.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        recording::{RecordedCall, Recording},
        secrets,
    },
    library::{Library, LibraryError, home::make_folder},
};

const FOLDER: &str = "overheard";
/// A session that is over has this behind its name; one that a process works on has another.
const ENDED: &str = "ended";
const TAKEN: &str = "taken";
/// A process that has not come to the end of a session by then is gone, as hooks are whose time is up. What it had made of it is
/// known when the session is read again.
const LONGEST: Duration = Duration::from_secs(15);
/// A session that nobody ended by then is over.
const ABANDONED: Duration = Duration::from_hours(24);
/// Nothing more is added to a file of this size.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Of a result no more is kept.
const MAX_RESULT_CHARS: usize = 20_000;

/// What a hook was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// What the user asked for.
    Prompt(String),
    /// What the agent did.
    Call(RecordedCall),
}

/// The sessions of a home that are listened to.
#[derive(Debug, Clone)]
pub struct Overheard {
    folder: PathBuf,
}

impl Overheard {
    /// Those of the stores in this folder, of this user.
    #[must_use]
    pub fn at(stores: &Path, user: &str) -> Self {
        Self { folder: stores.join(FOLDER).join(plain(user)) }
    }

    fn file(&self, session: &str) -> PathBuf {
        self.folder.join(format!("{}.jsonl", plain(session)))
    }

    /// Adds what was heard in a session, without secrets.
    ///
    /// # Errors
    /// Why it can't be written.
    pub fn add(&self, session: &str, heard: Heard) -> io::Result<()> {
        let heard = match heard {
            Heard::Prompt(text) => Heard::Prompt(secrets::scrubbed(&text)),
            Heard::Call(call) => Heard::Call(cut(call).scrubbed()),
        };
        let mut line = serde_json::to_string(&heard)?;
        line.push('\n');
        make_folder(&self.folder)?;
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(self.file(session))?;
        if file.metadata()?.len() > MAX_BYTES {
            return Ok(());
        }
        // In one piece: hooks of calls that end at the same time write at the same time.
        file.write_all(line.as_bytes())
    }

    /// Says that a session is over.
    ///
    /// # Errors
    /// Why that can't be noted. That nothing was heard of it is no error.
    pub fn end(&self, session: &str) -> io::Result<()> {
        let file = self.file(session);
        let to = file.with_extension(format!(
            "{}.{ENDED}",
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis())
        ));
        match fs::rename(&file, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed,
        }
    }

    /// Takes the next session that is over, for this process alone: its file and its name.
    fn take(&self) -> Option<(PathBuf, String)> {
        let now = SystemTime::now();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|at| now.duration_since(at).ok());
            let age = age.unwrap_or_default();
            let is_over = match path.extension().and_then(|extension| extension.to_str()) {
                Some(ENDED) => true,
                Some(TAKEN) => age > LONGEST,
                _ => age > ABANDONED,
            };
            let session = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('.').next());
            let Some(session) = session.filter(|_| is_over).map(str::to_owned) else { continue };
            let taken = path.with_extension(format!("{}.{TAKEN}", std::process::id()));
            // Whoever renames it has it; its time begins now.
            if fs::rename(&path, &taken).is_ok() {
                let _ = fs::File::options().append(true).open(&taken).and_then(|file| file.set_modified(now));
                return Some((taken, session));
            }
        }
        None
    }
}

/// A name that can be that of a file.
fn plain(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(100).collect();
    if plain.is_empty() { "_".to_owned() } else { plain }
}

fn cut(call: RecordedCall) -> RecordedCall {
    let result = call.result.map(|result| match result {
        serde_json::Value::String(text) => text.chars().take(MAX_RESULT_CHARS).collect::<String>().into(),
        value if value.to_string().len() > 4 * MAX_RESULT_CHARS => serde_json::Value::Null,
        value => value,
    });
    RecordedCall { result, ..call }
}

/// What was asked and done, one recording for each prompt.
fn recordings(text: &str) -> Vec<Recording> {
    let mut recordings: Vec<Recording> = Vec::new();
    for heard in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        match heard {
            Heard::Prompt(prompt) => recordings.push(Recording { prompt, calls: Vec::new() }),
            Heard::Call(call) => {
                if recordings.is_empty() {
                    recordings.push(Recording::default());
                }
                recordings.last_mut().into_iter().for_each(|last| last.calls.push(call.clone()));
            }
        }
    }
    recordings.retain(|recording| !recording.calls.is_empty());
    recordings
}

impl Library {
    /// Makes candidates of what was heard in sessions that are over, where it is worth a look; how many there are.
    ///
    /// # Errors
    /// What keeps a candidate from being stored. What was heard stays then.
    pub fn learn_from_sessions(&self) -> Result<usize, LibraryError> {
        let overheard = Overheard::at(&self.folder, &self.user);
        let mut count = 0;
        while let Some((file, session)) = overheard.take() {
            let text = fs::read_to_string(&file).unwrap_or_default();
            for recording in recordings(&text) {
                match self.submit_recording(recording, Some(&session), true) {
                    Ok(made) => count += usize::from(made.is_some()),
                    Err(LibraryError::Storage(error)) => return Err(LibraryError::Storage(error)),
                    Err(error) => tracing::info!(session, %error, "nothing is made of a part of a session"),
                }
            }
            if let Err(error) = fs::remove_file(&file) {
                tracing::warn!(path = %file.display(), %error, "what was heard in a session can't be removed");
                break;
            }
        }
        Ok(count)
    }
}
