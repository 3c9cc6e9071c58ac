//! The tools, one file each.

mod arguments;
mod artifact_view;
mod checkpoint_view;
mod memory_view;
mod views;

pub use views::ExecutionView;

pub mod cancel_run;
pub mod complete_workflow;
pub mod delete_procedure;
pub mod emit_event;
pub mod execute_procedure;
pub mod generate_procedure_code;
pub mod get_procedure;
pub mod get_procedure_stats;
pub mod get_procedure_versions;
pub mod get_resume_point;
pub mod get_run;
pub mod link_artifact;
pub mod list_candidates;
pub mod list_checkpoints;
pub mod list_inbox;
pub mod list_procedures;
pub mod list_runs;
pub mod match_procedures;
pub mod merge_states;
pub mod recall_outcomes;
pub mod recall_procedures;
pub mod remember_procedure;
pub mod resolve_inbox_item;
pub mod resume_run;
pub mod review_candidate;
pub mod rollback_procedure_code;
pub mod save_checkpoint;
pub mod search_procedures_by_confidence;
pub mod update_procedure;
pub mod validate_procedure_code;
