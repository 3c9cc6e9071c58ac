//! The names of checkpoints in answers.

use crate::storage::{Reader, StorageError};

/// The run in the name of a checkpoint.
pub fn run_of(id: &str) -> Option<&str> {
    id.strip_prefix("cp_")?.rsplit_once('_').map(|(run, _)| run)
}

/// Whether the user has a checkpoint of this name.
pub fn named(reader: &Reader<'_>, user: &str, id: &str) -> Result<bool, StorageError> {
    let run_id = run_of(id);
    let sequence = run_id.and_then(|run| sequence_of(run, id));
    let (Some(run_id), Some(sequence)) = (run_id, sequence) else { return Ok(false) };
    match reader.workflow_run(user, run_id)? {
        Some(run) => reader.has_checkpoint(run.id, sequence),
        None => Ok(false),
    }
}

/// The name of a checkpoint in answers. The user and the run are known where it is read.
#[must_use]
pub fn checkpoint_id(run_id: &str, sequence: i64) -> String {
    format!("cp_{run_id}_{sequence}")
}

/// The number in the name of a checkpoint of a run.
pub fn sequence_of(run_id: &str, checkpoint_id: &str) -> Option<i64> {
    let digits = checkpoint_id.strip_prefix("cp_")?.strip_prefix(run_id)?.strip_prefix('_')?;
    // One name per checkpoint: not `01`, nor `+1`.
    digits.parse().ok().filter(|sequence: &i64| sequence.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_has_one_name() {
        for run in ["run", "a_b", "cp_1", "1"] {
            assert_eq!(sequence_of(run, &checkpoint_id(run, 42)), Some(42), "{run}");
        }
        for wrong in [
            "",
            "cp_run_",
            "cp_run_01",
            "cp_run_+1",
            "cp_other_1",
            "cp_run_1_1",
            "run_1",
            "cp_run_99999999999999999999",
        ] {
            assert_eq!(sequence_of("run", wrong), None, "{wrong}");
        }
    }
}
