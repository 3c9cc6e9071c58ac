//! What to do about each error.

use std::borrow::Cow;

use super::variants::LibraryError;
use crate::domain::{Hinted, RunStatus};

impl Hinted for LibraryError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Storage(error) => return error.hint(),
            Self::Config(error) => return error.hint(),
            Self::Model(error) => return error.hint(),
            Self::Merge(error) => return error.hint(),
            Self::Scope(error) => return error.hint(),
            Self::Name(error) => return error.hint(),
            Self::Hash(error) => return error.hint(),
            Self::Argument { hint, .. } => return hint.as_deref().map(Cow::from),
            Self::Sandbox(_) => "try again, and look at the server's log if it stays",
            Self::Unindexed { .. } => "don't repeat it, it shows as soon as the database can be used",
            Self::Internal { .. } => "look at the log for more, and report it",
            Self::ShuttingDown => "start it again and repeat the call",
            Self::HomeInUse { count } => {
                let them = if *count == 1 { "it" } else { "them" };
                let clients = "(clients that start a server of their own may have to be closed)";
                return Some(format!("end {them} and try again {clients}").into());
            }
            Self::ProcedureNotFound { closest: Some(name), .. } => {
                return Some(format!("the closest name is `{name}`").into());
            }
            Self::ProcedureNotFound { closest: None, .. } => "list_procedures shows what there is",
            Self::ProcedureDeleted(_) => {
                "its history and stats can still be read, and remember_procedure with the same name brings it back"
            }
            Self::NameTaken { .. } => {
                "use update_procedure or generate_procedure_code to change it, or choose another name"
            }
            Self::NameHidden(_) => "choose another name",
            Self::NotOwner { .. } => "remember a copy under another name to change that",
            Self::Disabled(_) => "update_procedure with `enabled: true` allows it again",
            Self::StaleVersion { .. } => "read it again and repeat your change",
            Self::VersionNotFound { newest, .. } => {
                return Some(format!("it has 1 to {newest} (a number, `v3`, or at least 7 digits of a commit)").into());
            }
            Self::VersionWithoutCode { .. } => "get_procedure_versions shows which ones have",
            Self::RunNotFound(_) => "list_runs shows the latest",
            Self::OutcomeNotFound(_) => "complete_workflow stores one, recall_outcomes finds them",
            Self::RunNotPaused { status: RunStatus::Interrupted, .. } | Self::StateRefused { .. } => {
                "execute the procedure again"
            }
            Self::ApprovalNeedsHuman { id, .. } => {
                return Some(format!("ask them to run `repertoire approve {id}` in a terminal").into());
            }
            Self::AlreadyDecided(_) => "get_run shows by whom, and what the run waits for now",
            Self::NotAsked { .. } => "call it without them to begin anew",
            Self::RunElsewhere(_) => "use that one",
            Self::RunOfOther { given, .. } => return Some(format!("give a run of `{given}` a name of its own").into()),
            Self::CheckpointNotFound { .. } => "list_checkpoints shows what it has",
            Self::CompletedOtherwise { .. } => "what is stored stays, so give another run a name of its own",
            Self::CandidateNotFound(_) => "list_candidates shows those that wait",
            Self::CandidateReviewed { procedure: None, .. } => "it comes back when its evidence doubles",
            Self::CandidateReviewed { procedure: Some(_), .. } => "change that with update_procedure",
            Self::CandidateBusy(_) => "look at list_candidates in a moment",
            Self::ArtifactNotFound(_) => "resources/list shows the files that are linked",
            Self::ArtifactChanged { .. } => {
                "link it again with link_artifact if that is right, or bring back what it was"
            }
            Self::FileNotGranted { file, .. } => {
                return Some(format!("the user can add one to `read` under [policy] in {file}").into());
            }
            Self::ItemNotFound(_) => "list_inbox shows what there is",
            Self::ItemResolved { .. } => "nothing is left to do",
            // What they tell was put into words below and says what to do itself, or there is nothing to do.
            Self::Versions(_)
            | Self::Home { .. }
            | Self::Parameters { .. }
            | Self::PermissionDenied { .. }
            | Self::CodeRejected { .. }
            | Self::RunNotPaused { .. }
            | Self::RunEnded { .. }
            | Self::Reducer { .. } => return None,
        };
        Some(hint.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::StorageError;

    #[test]
    fn what_happened_and_what_to_do_are_told_apart_and_together() {
        let not_found = |closest: Option<&str>| LibraryError::ProcedureNotFound {
            given: "gret".to_owned(),
            closest: closest.map(str::to_owned),
        };
        for (error, what, hint) in [
            (not_found(Some("greet")), "there is no procedure `gret`", "; the closest name is `greet`"),
            (not_found(None), "there is no procedure `gret`", "; list_procedures shows what there is"),
            (LibraryError::RunNotFound("r".to_owned()), "there is no run `r`", "; list_runs shows the latest"),
            (LibraryError::HomeInUse { count: 1 }, "1 other process has the home open", "; end it and try again"),
            (LibraryError::HomeInUse { count: 2 }, "2 other processes have the home open", "; end them and try again"),
            (
                StorageError::Migrated { found: 9, known: 8 }.into(),
                "another program has brought the database to schema version 9",
                "nothing was written. Restart `repertoire`",
            ),
            (LibraryError::invalid("`a` is no b"), "`a` is no b", ""),
        ] {
            let (text, full) = (error.to_string(), error.in_full());
            assert!(text.starts_with(what) && full.starts_with(&text) && full.contains(hint), "{text} | {full}");
            assert_eq!(full == text, error.hint().is_none());
        }
    }
}
