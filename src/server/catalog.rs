//! All tools, and which of them a server shows.

use super::{
    tool::{Entry, Tool, Toolset},
    tools::{
        cancel_run::CancelRun, complete_workflow::CompleteWorkflow, delete_procedure::DeleteProcedure,
        emit_event::EmitEvent, execute_procedure::ExecuteProcedure, generate_procedure_code::GenerateProcedureCode,
        get_procedure::GetProcedure, get_procedure_stats::GetProcedureStats,
        get_procedure_versions::GetProcedureVersions, get_resume_point::GetResumePoint, get_run::GetRun,
        link_artifact::LinkArtifact, list_candidates::ListCandidates, list_checkpoints::ListCheckpoints,
        list_inbox::ListInbox, list_procedures::ListProcedures, list_runs::ListRuns, match_procedures::MatchProcedures,
        merge_states::MergeStates, recall_outcomes::RecallOutcomes, recall_procedures::RecallProcedures,
        remember_procedure::RememberProcedure, resolve_inbox_item::ResolveInboxItem, resume_run::ResumeRun,
        review_candidate::ReviewCandidate, rollback_procedure_code::RollbackProcedureCode,
        save_checkpoint::SaveCheckpoint, search_procedures_by_confidence::SearchProceduresByConfidence,
        update_procedure::UpdateProcedure, validate_procedure_code::ValidateProcedureCode,
    },
};

/// Names that differ by less than this (Jaro-Winkler) are proposed for one another.
const SIMILAR_NAME: f64 = 0.8;

/// The tools of a server.
pub struct Catalog {
    entries: Vec<Entry>,
}

/// Which tools are shown.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these groups; all when empty.
    pub toolsets: Vec<Toolset>,
    /// Only tools that change nothing.
    pub read_only: bool,
}

/// Every tool, in the order in which they are listed.
fn all() -> Vec<Entry> {
    vec![
        entry::<RecallProcedures>(),
        entry::<RememberProcedure>(),
        entry::<GetProcedure>(),
        entry::<ListProcedures>(),
        entry::<UpdateProcedure>(),
        entry::<DeleteProcedure>(),
        entry::<SearchProceduresByConfidence>(),
        entry::<MatchProcedures>(),
        entry::<GenerateProcedureCode>(),
        entry::<ValidateProcedureCode>(),
        entry::<GetProcedureVersions>(),
        entry::<RollbackProcedureCode>(),
        entry::<ExecuteProcedure>(),
        entry::<ResumeRun>(),
        entry::<EmitEvent>(),
        entry::<GetProcedureStats>(),
        entry::<ListRuns>(),
        entry::<GetRun>(),
        entry::<CancelRun>(),
        entry::<ListInbox>(),
        entry::<ResolveInboxItem>(),
        entry::<SaveCheckpoint>(),
        entry::<GetResumePoint>(),
        entry::<ListCheckpoints>(),
        entry::<MergeStates>(),
        entry::<CompleteWorkflow>(),
        entry::<RecallOutcomes>(),
        entry::<LinkArtifact>(),
        entry::<ListCandidates>(),
        entry::<ReviewCandidate>(),
    ]
}

fn entry<T: Tool>() -> Entry {
    Entry::of::<T>()
}

impl Catalog {
    /// The tools that `selection` leaves.
    #[must_use]
    pub fn new(selection: &Selection) -> Self {
        let is_chosen = |entry: &Entry| selection.toolsets.is_empty() || selection.toolsets.contains(&entry.toolset);
        let shown = |entry: Entry| if selection.read_only { entry.reading() } else { Some(entry) };
        Self { entries: all().into_iter().filter(is_chosen).filter_map(shown).collect() }
    }

    /// The shown tools.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The tool of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.listed.name == name)
    }

    /// The name that is most like `name`.
    #[must_use]
    pub fn closest(&self, name: &str) -> Option<&str> {
        self.entries
            .iter()
            .map(|entry| (strsim::jaro_winkler(name, &entry.listed.name), &*entry.listed.name))
            .filter(|(similarity, _)| *similarity >= SIMILAR_NAME)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, name)| name)
    }
}
