//! Lessons that somebody tells: each is kept first, then judged, by the model that is configured or else by rules. What
//! says how to do something becomes a candidate, unless it is known already.
//!
//! [`Services::submit_lessons`] judges what it can while its caller waits; what a model that is down leaves over waits, and
//! `keep_told` judges it later. [`known`] is what a lesson may be a twin of, [`asked`] how a model is asked.

mod asked;
mod candidate;
mod known;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::{
    asked::Answer,
    candidate::{Conclusion, check},
    known::{Known, Neighbour},
};
use crate::{
    config::ModelSettings,
    domain::learning::telling::{Told, likeness::Fingerprint, rules},
    library::{Library, LibraryError, Services, now_ms},
    models::ModelError,
    storage::{LessonRow, StorageError},
};

pub use candidate::Concluded;
pub use known::Nearest;

/// Lessons of one call.
pub const MOST_LESSONS: usize = 50;
const MAX_LESSON_CHARS: usize = 8000;
/// How long a caller waits for the model, over all lessons.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long a process that judges a lesson has it for itself.
const LEASE_MS: i64 = 120_000;
/// How long a lesson waits that could not be judged: four times as long each time.
const FIRST_WAIT_MS: i64 = 2000;
const LONGEST_WAIT_MS: i64 = 3_600_000;
/// After so many answers that can't be used, rules judge.
const MAX_ATTEMPTS: u32 = 3;
const INTERVAL: Duration = Duration::from_secs(10);
/// Neighbours that a model is shown.
const SHOWN: usize = 3;

/// Lessons that are told at once.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    pub lessons: Vec<Told>,
    pub session: Option<String>,
    /// What the session was about.
    pub context: Option<String>,
}

impl Library {
    /// Keeps lessons, without secrets, for this process to judge.
    fn keep_lessons(&self, submission: Submission) -> Result<Vec<LessonRow>, LibraryError> {
        let Submission { lessons, session, context } = submission;
        if lessons.is_empty() || lessons.len() > MOST_LESSONS {
            return Err(LibraryError::invalid(format!(
                "`lessons` has {} entries; give 1 to {MOST_LESSONS} of them",
                lessons.len()
            )));
        }
        let context = context.map(|text| crate::domain::secrets::scrubbed(&text));
        let mut kept = Vec::with_capacity(lessons.len());
        for (number, told) in (1..).zip(lessons) {
            let told = told.scrubbed();
            let length = told.words().chars().count();
            if length == 0 || length > MAX_LESSON_CHARS {
                return Err(LibraryError::invalid_with_hint(
                    format!("lesson {number} has {length} characters; 1 to {MAX_LESSON_CHARS} are possible"),
                    "say in a few sentences when it applies, what to do and why",
                ));
            }
            check(&told).map_err(|error| LibraryError::invalid_in(&format!("lesson {number}"), &error))?;
            kept.push(told);
        }
        let now = now_ms();
        let until = now + LEASE_MS;
        Ok(self.database.write_synced::<_, StorageError>(|writer| {
            let rows = kept.into_iter().map(|told| {
                let id = writer.add_lesson(&self.user, &told, (session.as_deref(), context.as_deref()), now, until)?;
                let (session, context) = (session.clone(), context.clone());
                Ok(LessonRow { id, told, session, context, told_at: now, attempts: 1 })
            });
            rows.collect()
        })?)
    }

    /// Judges lessons by rules.
    fn conclude_by_rules(&self, rows: &[LessonRow]) -> Result<Vec<Concluded>, LibraryError> {
        self.refresh()?;
        let mut known = Known::read(self)?;
        rows.iter().map(|row| self.conclude_row_by_rules(row, &mut known)).collect()
    }

    fn conclude_row_by_rules(&self, row: &LessonRow, known: &mut Known) -> Result<Concluded, LibraryError> {
        let fingerprint = Fingerprint::of(&row.told.words());
        let neighbours = known.neighbours(self, &row.told, &fingerprint)?;
        let judged = rules::judge(&row.told);
        let twin = neighbours.is_same.then(|| neighbours.nearest.first().cloned()).flatten();
        let conclusion = Conclusion { judged, by: "rules", twin, name: None };
        self.conclude(row, conclusion, &neighbours.nearest, known, fingerprint)
    }

    /// Has a lesson wait for another attempt.
    fn put_off(&self, row: &LessonRow) -> Result<(), LibraryError> {
        let wait = FIRST_WAIT_MS << (2 * row.attempts.saturating_sub(1).min(8));
        let due = now_ms() + wait.min(LONGEST_WAIT_MS);
        Ok(self.database.write::<_, StorageError>(|writer| writer.put_lesson_off(row.id, due))?)
    }

    /// The next lesson that is due, for this process; or how long it is until there is one.
    fn take_due_lesson(&self) -> Result<Result<LessonRow, Duration>, LibraryError> {
        let now = now_ms();
        let due = self.database.read(|reader| reader.due_lessons(&self.user, now, 1))?.into_iter().next();
        if let Some(mut row) = due
            && self.database.write::<_, StorageError>(|writer| writer.take_lesson(row.id, now, now + LEASE_MS))?
        {
            row.attempts += 1;
            return Ok(Ok(row));
        }
        let next = self.database.read(|reader| reader.next_lesson_at(&self.user))?;
        let wait = next.map_or(INTERVAL, |at| Duration::from_millis((at - now_ms()).max(50).unsigned_abs()));
        Ok(Err(wait.min(INTERVAL)))
    }
}

impl Services {
    /// Keeps lessons and judges them: all of them where rules do, those that a model answers for in time otherwise. The others
    /// wait.
    ///
    /// # Errors
    /// What is wrong with a lesson; nothing is kept then. [`LibraryError::Storage`].
    pub async fn submit_lessons(&self, submission: Submission) -> Result<Vec<Concluded>, LibraryError> {
        let rows = self.blocking(move |library| library.keep_lessons(submission)).await?;
        let Some(settings) = self.library().config()?.model.clone() else {
            return self.blocking(move |library| library.conclude_by_rules(&rows)).await;
        };
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut concluded = Vec::with_capacity(rows.len());
        let mut is_down = false;
        for row in rows {
            if !is_down {
                let judging = self.conclude_by_model(&settings, row.clone());
                match tokio::time::timeout_at(deadline, judging).await {
                    Ok(Ok(one)) => {
                        concluded.push(one);
                        continue;
                    }
                    Ok(Err(error)) => tracing::info!(lesson = row.id, %error, "a lesson waits to be judged"),
                    Err(_) => tracing::info!(lesson = row.id, "the model takes long; lessons wait to be judged"),
                }
                is_down = true;
            }
            self.blocking(move |library| library.put_off(&row)).await?;
            concluded.push(Concluded::WAITING);
        }
        if is_down {
            self.library().told.notify_one();
        }
        Ok(concluded)
    }

    async fn conclude_by_model(&self, settings: &ModelSettings, row: LessonRow) -> Result<Concluded, LibraryError> {
        let told = row.told.clone();
        let (known, neighbours) = self
            .blocking(move |library| {
                library.refresh()?;
                let mut known = Known::read(library)?;
                let neighbours = known.neighbours(library, &told, &Fingerprint::of(&told.words()))?;
                Ok((known, neighbours))
            })
            .await?;
        // Whatever a model makes of it: that something failed for a while says nothing about it.
        if rules::is_passing_failure(&row.told.words()) {
            return self.blocking(move |library| library.conclude_row_by_rules(&row, &mut { known })).await;
        }
        let shown: Vec<Neighbour> = neighbours.nearest.iter().take(SHOWN).cloned().collect();
        let answer = match asked::ask(self, settings, &row, &shown).await {
            Err(LibraryError::Model(error @ ModelError::Unreadable { .. })) if row.attempts >= MAX_ATTEMPTS => {
                tracing::info!(lesson = row.id, %error, "rules judge a lesson, because the model's answers are of no use");
                return self.blocking(move |library| library.conclude_row_by_rules(&row, &mut { known })).await;
            }
            answer => answer?,
        };
        let Answer { judged, same_as, name } = answer;
        let twin = same_as.and_then(|place| shown.get(place).cloned());
        self.blocking(move |library| {
            let fingerprint = Fingerprint::of(&row.told.words());
            let conclusion = Conclusion { judged, by: "model", twin, name };
            library.conclude(&row, conclusion, &neighbours.nearest, &mut { known }, fingerprint)
        })
        .await
    }

    /// Judges lessons that wait until `stop`, one after the other.
    pub(super) async fn keep_told(&self, stop: CancellationToken) {
        loop {
            // Before looking, so that nothing that is told falls in between.
            let told = self.library().told.notified();
            let pause = match self.blocking(Library::take_due_lesson).await {
                Ok(Ok(row)) => {
                    self.judge_later(row, &stop).await;
                    continue;
                }
                Ok(Err(wait)) => wait,
                Err(error) => {
                    tracing::warn!(%error, "lessons that wait can't be looked at; they are tried again");
                    INTERVAL
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = told => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn judge_later(&self, row: LessonRow, stop: &CancellationToken) {
        let settings = self.library().config().ok().and_then(|config| config.model.clone());
        let again = row.clone();
        let judging = async {
            match settings {
                Some(settings) => self.conclude_by_model(&settings, row).await.map(drop),
                None => self.blocking(move |library| library.conclude_by_rules(&[row]).map(drop)).await,
            }
        };
        let judged = tokio::select! {
            () = stop.cancelled() => Ok(()),
            judged = judging => judged,
        };
        if let Err(error) = judged {
            tracing::info!(lesson = again.id, %error, "a lesson goes on waiting to be judged");
            if let Err(error) = self.blocking(move |library| library.put_off(&again)).await {
                tracing::warn!(%error, "a lesson waits until it is nobody's any more");
            }
        }
    }
}
