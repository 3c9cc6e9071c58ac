//! Writing down where a frame stands and what its calls were answered.
//!
//! Before a call: the interpreter and the calls that it waits at; after it: the answer. Both survive a killed process.
//! Everything that goes back into an interpreter carries the seal of this home.

use serde_json::Value;

use super::{
    Journal,
    saved::{PERMITTED, SavedFrame, SavedReply, piece_parts, refused, sealed_parts},
};
use crate::{
    domain::{DecisionRecord, Hinted as _, HostCall, inbox::NewItem},
    library::{
        CheckpointDraft, ErrorKind, Library, LibraryError, blocking,
        checkpoints::write_checkpoint,
        now_ms,
        runs::{
            call::Answer,
            frame::{Frame, broken},
            machine::Sequence,
        },
    },
    runtime::{Budget, PythonError, Reply, Saved},
    storage::{AnswerRow, FrameRow, StorageError, Writer},
};

/// Writes down where a frame stands, with its interpreter, for a run and what is left of its budget.
pub async fn save(
    journal: &Journal,
    runtime: &str,
    frame: &mut Frame,
    state: Saved,
    (root_run_id, budget): (&str, &Budget),
) -> Result<(), LibraryError> {
    let Some(library) = journal.library() else { return Ok(()) };
    let mut piece = frame.snapshot.take(state);
    let mut journal_seal = frame.snapshot.seal.clone();
    let run_id = &frame.origin.run_id;
    let saved = SavedFrame::of(frame, runtime, budget);
    let state = serde_json::to_string(&saved).map_err(|error| refused(run_id, error))?;
    let mut row = FrameRow {
        run_id: run_id.clone(),
        root_run_id: root_run_id.to_owned(),
        depth: frame.depth,
        state,
        output: frame.capture.text(),
        snapshot: frame.snapshot.rest().to_vec(),
        seal: Vec::new(),
    };
    let entries = std::mem::take(&mut frame.unwritten);
    frame.snapshot.seal = blocking(library, move |library| {
        if let Some(piece) = &mut piece {
            piece.seal = library.key.seal(&piece_parts(&row.run_id, piece, &journal_seal));
            journal_seal.clone_from(&piece.seal);
        }
        row.seal = library.key.seal(&sealed_parts(&row, &row.depth.to_le_bytes(), &journal_seal));
        library.database.write::<_, StorageError>(|writer| {
            writer.add_host_calls(&row.run_id, &entries)?;
            writer.save_frame(&row, piece.as_ref())
        })?;
        Ok(journal_seal)
    })
    .await?;
    Ok(())
}

/// Writes down the answer of a call, before the code gets it.
pub async fn save_answer(journal: &Journal, answer: Answer) -> Result<(), LibraryError> {
    let Some(library) = journal.library() else { return Ok(()) };
    blocking(library, move |library| {
        let row = answer_row(library, &answer)?;
        library.database.write::<_, StorageError>(|writer| write_answer(writer, &answer, &row))?;
        Ok(())
    })
    .await
}

/// What a decision means for the call that waited for it.
pub enum Decided {
    /// It is the call's answer.
    Answer(Box<Answer>),
    /// The call may be made.
    Permit(Sequence),
}

/// Writes down a decision and what it means, so that both survive a power cut.
pub async fn save_decision(
    journal: &Journal,
    decided: Option<Decided>,
    run_id: String,
    decision: DecisionRecord,
) -> Result<(), LibraryError> {
    let Some(library) = journal.library() else { return Ok(()) };
    blocking(library, move |library| {
        let row = match &decided {
            Some(Decided::Answer(answer)) => Some(answer_row(library, answer)?),
            Some(Decided::Permit(sequence)) => Some(sealed(library, &run_id, *sequence, PERMITTED.to_owned())),
            None => None,
        };
        library.database.write_synced::<_, StorageError>(|writer| {
            writer.save_decision(&run_id, &decision)?;
            match (&decided, &row) {
                (Some(Decided::Answer(answer)), Some(row)) => write_answer(writer, answer, row),
                (Some(Decided::Permit(_)), Some(row)) => writer.save_answer(&run_id, row),
                _ => Ok(()),
            }
        })?;
        Ok(())
    })
    .await
}

/// Stores an item together with the answer that has its number: one without the other never survives.
pub async fn save_item(
    journal: &Journal,
    item: NewItem,
    call: (String, i64, Sequence),
    mut entry: HostCall,
) -> Result<Reply, LibraryError> {
    let library = journal.library().ok_or_else(|| broken("an item of a run that is not written down"))?;
    blocking(library, move |library| {
        let (run_id, procedure_id, sequence) = call;
        library.database.write(|writer| {
            let id = writer.add_item(&item, &run_id, procedure_id, &library.user, now_ms())?;
            let reply = match item.answer(id) {
                Ok(stored) => {
                    entry.result = Some(stored.clone());
                    Reply::Value(stored)
                }
                Err(why) => {
                    entry.error = Some(format!("RuntimeError: {why}"));
                    entry.result = None;
                    Reply::Raise(PythonError::new("RuntimeError", why))
                }
            };
            let answer = Answer { run_id, sequence, entry, reply };
            let row = answer_row(library, &answer)?;
            write_answer(writer, &answer, &row)?;
            Ok(answer.reply)
        })
    })
    .await
}

/// Saves a checkpoint of a run together with the answer of the call: a call that is made again finds its answer and saves
/// nothing twice. Like everything that the run goes on from, it survives a killed process.
pub async fn save_checkpoint(
    journal: &Journal,
    draft: CheckpointDraft,
    sequence: Sequence,
    mut entry: HostCall,
) -> Result<Reply, LibraryError> {
    let library = journal.library().ok_or_else(|| broken("a checkpoint of a run that is not written down"))?;
    blocking(library, move |library| {
        let run_id = draft.run_id.clone();
        let prepared = library.prepare_checkpoint(draft);
        library.database.write(|writer| {
            // The run's, where another process goes on with it.
            let user = writer.user_of_run(&run_id)?.unwrap_or_else(|| library.user.clone());
            let reply = match prepared.and_then(|prepared| write_checkpoint(writer, &user, prepared)) {
                Ok(_) => Reply::Value(Value::Null),
                // The code said something that can't be.
                Err(refused) if refused.kind() == ErrorKind::Caller => {
                    let error = PythonError::new("ValueError", format!("checkpoint(): {}", refused.in_full()));
                    entry.error = Some(format!("{}: {}", error.kind, error.message));
                    entry.result = None;
                    Reply::Raise(error)
                }
                Err(error) => return Err(error),
            };
            let answer = Answer { run_id, sequence, entry, reply };
            let row = answer_row(library, &answer)?;
            write_answer(writer, &answer, &row)?;
            Ok(answer.reply)
        })
    })
    .await
}

/// The sealed row of an answer.
pub fn answer_row(library: &Library, answer: &Answer) -> Result<AnswerRow, LibraryError> {
    let reply =
        serde_json::to_string(&SavedReply::from(&answer.reply)).map_err(|error| refused(&answer.run_id, error))?;
    Ok(sealed(library, &answer.run_id, answer.sequence, reply))
}

fn sealed(library: &Library, run_id: &str, sequence: Sequence, reply: String) -> AnswerRow {
    let seal = library.key.seal(&[run_id.as_bytes(), &sequence.to_le_bytes(), reply.as_bytes()]);
    AnswerRow { sequence, reply, seal }
}

/// Writes an answer and its entry in the journal.
pub fn write_answer(writer: &Writer<'_>, answer: &Answer, row: &AnswerRow) -> Result<(), StorageError> {
    writer.add_host_calls(&answer.run_id, &[(answer.sequence, answer.entry.clone())])?;
    writer.save_answer(&answer.run_id, row)
}
