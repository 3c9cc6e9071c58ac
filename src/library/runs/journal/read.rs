//! Reading back how far a run has come.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use super::saved::{PERMITTED, SavedFrame, SavedReply, piece_parts, refused, sealed_parts};
use crate::{
    config::Config,
    domain::{RunId, RuntimeKind},
    library::{
        Library, LibraryError, ProcedureRef, VersionRef,
        runs::{
            call::PendingCall,
            frame::{Frame, Origin},
            limits::Left,
            machine::State,
            prepare::begun,
            snapshot::Snapshot,
            steps::StepLines,
        },
    },
    runtime::{Capture, Program, Runtimes},
    storage::FrameRow,
};

/// The tree of an open run as it was saved, with the answers that came since; and what is left of its budget. `None` when
/// the run had made no host call.
///
/// # Errors
/// [`LibraryError::StateRefused`] when the state was not written by this home or by this version of the interpreter.
pub fn load(
    library: &Library,
    runtimes: &Runtimes,
    root_run_id: &str,
    config: &Config,
) -> Result<(Option<Frame>, Option<Left>), LibraryError> {
    let rows = library.database.read(|reader| reader.frames(root_run_id))?;
    let mut left: Option<Left> = None;
    let mut called: HashMap<RunId, Vec<Frame>> = HashMap::new();
    // Those that are called come first, so that their callers can take them.
    for row in rows.into_iter().rev() {
        let (mut frame, left_then) = opened(library, runtimes, row, config)?;
        left = Some(left.map_or(left_then, |left| left.least(left_then)));
        let children = called.remove(&frame.origin.run_id).unwrap_or_default();
        frame.children = children.into_iter().map(|child| child.limited_by(&frame)).collect();
        match &frame.caller {
            Some(caller) => called.entry(caller.run_id.clone()).or_default().push(frame),
            None if called.is_empty() => return Ok((Some(frame), left)),
            None => break,
        }
    }
    if called.is_empty() { Ok((None, None)) } else { Err(refused(root_run_id, "a part of it is not there")) }
}

/// A single frame as it was saved, with the answers that came since; where its code had made no host call, as it was
/// started.
///
/// # Errors
/// As [`load`].
pub fn load_frame(
    library: &Library,
    runtimes: &Runtimes,
    run_id: &str,
    config: &Config,
) -> Result<Frame, LibraryError> {
    match library.database.read(|reader| reader.frame(run_id))? {
        Some(row) => Ok(opened(library, runtimes, row, config)?.0),
        None => begun(library, run_id, config),
    }
}

/// The steps in which the code of an open run waits, as it was saved.
///
/// # Errors
/// [`LibraryError::Storage`]. What can't be read has no steps.
pub fn current_steps(library: &Library, run_id: &str) -> Result<BTreeSet<u32>, LibraryError> {
    let row = library.database.read(|reader| reader.frame(run_id))?;
    let saved = row.and_then(|row| serde_json::from_str::<SavedFrame>(&row.state).ok());
    let steps = saved.map(|saved| {
        let lines = StepLines::read(&saved.source);
        saved.waiting.iter().filter_map(|call| lines.step_at(call.line)).collect()
    });
    Ok(steps.unwrap_or_default())
}

fn opened(
    library: &Library,
    runtimes: &Runtimes,
    row: FrameRow,
    config: &Config,
) -> Result<(Frame, Left), LibraryError> {
    let run_id = row.run_id.clone();
    let journal = library.database.read(|reader| reader.journal(&run_id))?;
    let mut journal_seal: &[u8] = &[];
    let was_changed = || refused(&run_id, "it was changed since this home wrote it");
    for piece in &journal {
        if !library.key.fits(&piece_parts(&run_id, piece, journal_seal), &piece.seal) {
            return Err(was_changed());
        }
        journal_seal = &piece.seal;
    }
    if !library.key.fits(&sealed_parts(&row, &row.depth.to_le_bytes(), journal_seal), &row.seal) {
        return Err(was_changed());
    }
    let saved: SavedFrame = serde_json::from_str(&row.state).map_err(|error| refused(&run_id, error))?;
    let runtime = runtimes.of(saved.runtime).id();
    if saved.interpreter != runtime {
        let why = format!("it is of the interpreter {}, this program has {runtime}", saved.interpreter);
        return Err(refused(&run_id, why));
    }
    let run = library.database.read(|reader| reader.run(&run_id))?;
    if run.is_none_or(|run| run.version != saved.version || run.procedure_id != saved.procedure_id) {
        return Err(refused(&run_id, format!("it is of version {}, the run is not", saved.version)));
    }
    let left = saved.left;
    let snapshot = Snapshot::recorded(journal, &row.snapshot);
    let mut frame = restored(library, row, saved, config)?;
    frame.snapshot = snapshot;
    Ok((frame, left))
}

fn restored(library: &Library, row: FrameRow, saved: SavedFrame, config: &Config) -> Result<Frame, LibraryError> {
    // Of the version that it is of, like all of it.
    let lock = match saved.runtime {
        RuntimeKind::Sandbox => None,
        RuntimeKind::Python => {
            library.procedure_at(&ProcedureRef::Id(saved.procedure_id), &VersionRef::Number(saved.version))?.lock
        }
    };
    let program = Program { source: saved.source, code_lines: saved.code_lines, parameters: saved.parameters };
    let origin = Origin {
        run_id: row.run_id,
        procedure_id: saved.procedure_id,
        name: saved.name,
        version: saved.version,
        steps_total: saved.steps_total,
        program: Arc::new(program),
        runtime: saved.runtime,
        lock: lock.map(Into::into),
        permissions: saved.permissions,
    };
    let mut frame = Frame::new(origin, Capture::holding(row.output), config);
    (frame.caller, frame.depth) = (saved.caller, row.depth);
    frame.waiting = saved.waiting.into_iter().map(PendingCall::from).collect();
    frame.deferred = saved.deferred.into_iter().map(PendingCall::from).collect();
    frame.is_direct = saved.is_direct;
    frame.last_sequence = saved.last_sequence;
    frame.grant(&saved.granted);
    frame.spent = Duration::from_millis(saved.spent_ms);
    let run_id = frame.origin.run_id.clone();
    for answer in library.database.read(|reader| reader.answers(&run_id))? {
        let sealed = [run_id.as_bytes(), &answer.sequence.to_le_bytes(), answer.reply.as_bytes()];
        if !library.key.fits(&sealed, &answer.seal) {
            return Err(refused(&run_id, "an answer was changed since this home wrote it"));
        }
        if answer.reply == PERMITTED {
            frame.permit(answer.sequence);
            continue;
        }
        let reply: SavedReply = serde_json::from_str(&answer.reply).map_err(|error| refused(&run_id, error))?;
        if let Some(call) = frame.waiting.iter_mut().find(|call| call.sequence == answer.sequence) {
            call.reply = Some(reply.into());
        }
    }
    // As the rules are now: a person decides on what is made again, too.
    let grants = Arc::clone(&frame.grants);
    let (waiting, deferred) = (std::mem::take(&mut frame.waiting), std::mem::take(&mut frame.deferred));
    frame.waiting = waiting.into_iter().map(|call| call.held_again(&grants)).collect();
    // Nobody has begun these.
    frame.deferred = deferred.into_iter().map(|call| call.held(&grants)).collect();
    frame.state = State::saved(frame.waiting.iter().map(PendingCall::after_crash).collect(), saved.awaited);
    Ok(frame)
}
