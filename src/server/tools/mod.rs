//! The tools, one file each. A new one has a `mod` line and a line in [`all`] here, and nothing else anywhere.

mod arguments;
mod artifact_view;
mod checkpoint_view;
mod memory_view;
pub(super) mod views;

mod cancel_run;
mod complete_workflow;
mod delete_procedure;
mod emit_event;
mod execute_procedure;
mod generate_procedure_code;
mod get_procedure;
pub(super) mod get_procedure_stats;
mod get_procedure_versions;
mod get_resume_point;
pub(super) mod get_run;
mod link_artifact;
mod list_candidates;
mod list_checkpoints;
mod list_inbox;
mod list_procedures;
mod list_runs;
mod match_procedures;
mod merge_states;
mod recall_outcomes;
mod recall_procedures;
mod record_outcome;
mod remember_procedure;
mod resolve_inbox_item;
mod resume_run;
mod review_candidate;
mod rollback_procedure_code;
mod save_checkpoint;
mod search_procedures_by_confidence;
mod submit_lessons;
mod submit_trace;
mod update_procedure;
mod validate_procedure_code;

use super::tool::Entry;

/// Every tool, in the order in which they are listed.
pub fn all() -> Vec<Entry> {
    vec![
        Entry::of::<recall_procedures::RecallProcedures>(),
        Entry::of::<remember_procedure::RememberProcedure>(),
        Entry::of::<get_procedure::GetProcedure>(),
        Entry::of::<list_procedures::ListProcedures>(),
        Entry::of::<update_procedure::UpdateProcedure>(),
        Entry::of::<delete_procedure::DeleteProcedure>(),
        Entry::of::<search_procedures_by_confidence::SearchProceduresByConfidence>(),
        Entry::of::<match_procedures::MatchProcedures>(),
        Entry::of::<generate_procedure_code::GenerateProcedureCode>(),
        Entry::of::<validate_procedure_code::ValidateProcedureCode>(),
        Entry::of::<get_procedure_versions::GetProcedureVersions>(),
        Entry::of::<rollback_procedure_code::RollbackProcedureCode>(),
        Entry::of::<execute_procedure::ExecuteProcedure>(),
        Entry::of::<resume_run::ResumeRun>(),
        Entry::of::<emit_event::EmitEvent>(),
        Entry::of::<record_outcome::RecordOutcome>(),
        Entry::of::<get_procedure_stats::GetProcedureStats>(),
        Entry::of::<list_runs::ListRuns>(),
        Entry::of::<get_run::GetRun>(),
        Entry::of::<cancel_run::CancelRun>(),
        Entry::of::<list_inbox::ListInbox>(),
        Entry::of::<resolve_inbox_item::ResolveInboxItem>(),
        Entry::of::<save_checkpoint::SaveCheckpoint>(),
        Entry::of::<get_resume_point::GetResumePoint>(),
        Entry::of::<list_checkpoints::ListCheckpoints>(),
        Entry::of::<merge_states::MergeStates>(),
        Entry::of::<complete_workflow::CompleteWorkflow>(),
        Entry::of::<recall_outcomes::RecallOutcomes>(),
        Entry::of::<link_artifact::LinkArtifact>(),
        Entry::of::<submit_lessons::SubmitLessons>(),
        Entry::of::<submit_trace::SubmitTrace>(),
        Entry::of::<list_candidates::ListCandidates>(),
        Entry::of::<review_candidate::ReviewCandidate>(),
    ]
}
