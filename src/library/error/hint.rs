//! What to do about each error.

use std::borrow::Cow;

use super::variants::LibraryError;
use crate::{
    domain::{Hinted, RunStatus},
    runtime::PackagesError,
};

impl Hinted for LibraryError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Storage(error) => return error.hint(),
            Self::Versions(error) => return error.hint(),
            Self::Broken { good: Some(version), .. } => {
                return Some(
                    format!("push a good file, or go on from version {version} with rollback_procedure_code").into(),
                );
            }
            Self::Broken { good: None, .. } => "push a good file, or remove its folder with a push",
            Self::Config(error) => return error.hint(),
            Self::Model(error) => return error.hint(),
            Self::Merge(error) => return error.hint(),
            Self::Scope(error) => return error.hint(),
            Self::Name(error) => return error.hint(),
            Self::Hash(error) => return error.hint(),
            Self::Argument { hint, .. } => return hint.as_deref().map(Cow::from),
            Self::Sandbox(_) | Self::Packages(PackagesError::NotInstalled(_) | PackagesError::Folder(_)) => {
                "try again, and look at the server's log if it stays"
            }
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
            Self::NameFormer { .. } => {
                "choose another name, or free this one: update_procedure with `former_names`, the aliases that stay (`[]`: none)"
            }
            Self::NameHidden(_) => "choose another name",
            Self::NotOwner { .. } => "remember a copy under another name to change that",
            Self::OwnedByNobody(_) => {
                "copy it: remember_procedure with `clone_of` makes one that is yours, under another name"
            }
            Self::Proposed(_) => {
                "list_candidates shows it, and review_candidate or `repertoire review` decides as your user says"
            }
            Self::Disabled(_) => "update_procedure with `enabled: true` allows it again",
            Self::StaleVersion { .. } => "read it again and repeat your change",
            Self::VersionNotFound { newest, .. } => {
                return Some(format!("it has 1 to {newest} (a number, `v3`, or at least 7 digits of a commit)").into());
            }
            Self::VersionWithoutCode { .. } => "get_procedure_versions shows which ones have",
            Self::RunNotFound(_) => {
                "list_runs shows the latest; old ones are removed as `[retention]` in config.toml says"
            }
            Self::OutcomeNotFound(_) => "complete_workflow stores one, recall_outcomes finds them",
            Self::RunNotPaused { status: RunStatus::Interrupted, .. } | Self::StateRefused { .. } => {
                "execute the procedure again"
            }
            Self::ApprovalNeedsHuman { id, .. } => {
                return Some(
                    format!(
                        "ask them to run `repertoire approve {id}` in a terminal, or call resume_run without `decision` \
                         where your client can ask them"
                    )
                    .into(),
                );
            }
            Self::WantsPerson { how, .. } => return Some(how.as_str().into()),
            Self::Declined(_) => "don't repeat it; ask them what they want instead",
            Self::AlreadyDecided(_) => "get_run shows by whom, and what the run waits for now",
            Self::NotAsked { .. } => "call it without them to begin anew",
            Self::RunElsewhere(_) => "use that one",
            Self::RunOfOther { given, .. } => return Some(format!("give a run of `{given}` a name of its own").into()),
            Self::CheckpointNotFound { .. } => "list_checkpoints shows what it has",
            Self::CompletedOtherwise { .. } => "what is stored stays, so give another run a name of its own",
            Self::CandidateNotFound(_) => "list_candidates shows those that wait",
            Self::CandidateReviewed { procedure: None, .. } => "it comes back when its evidence doubles",
            Self::CandidateReviewed { procedure: Some(_), .. } => "change that with update_procedure",
            Self::CandidateChanged(_) => "look at it again",
            Self::NothingNear(_) => "approve or reject it",
            Self::CandidateBusy(_) => "look at list_candidates in a moment",
            Self::ArtifactNotFound(_) => "resources/list shows the files that are linked",
            Self::ArtifactChanged { .. } => {
                "link it again with link_artifact if that is right, or bring back what it was"
            }
            Self::PythonNotGranted { file, .. } => {
                return Some(format!("the user can set `enabled = true` under [python] in {}", file.display()).into());
            }
            Self::PackagesNotGranted { file, .. } => {
                return Some(format!("the user can add it to `packages` under [python] in {}", file.display()).into());
            }
            Self::Packages(PackagesError::NoUv(_)) => {
                "the user can install it (https://docs.astral.sh/uv), or name it as `uv` under [python] in config.toml"
            }
            Self::Packages(PackagesError::Unresolved(_)) => "correct `dependencies`, of which only wheels are taken",
            Self::FileNotGranted { file, .. } => {
                return Some(format!("the user can add one to `read` under [policy] in {file}").into());
            }
            Self::ExamplesFail { .. } => {
                "correct the code or the example, or insist with `accept_failing_examples` (`--accept-failing-examples`)"
            }
            Self::ItemNotFound(_) => "list_inbox shows what there is",
            Self::ItemResolved { .. } => "nothing is left to do",
            Self::NoBackup { .. } => {
                "`repertoire backup FILE` makes one; a copy of a database alone goes to `repertoire db restore`"
            }
            Self::Home { is_unwritable: true, .. } => "make room or give yourself the right to read and write there",
            // What they tell was put into words below and says what to do itself, or there is nothing to do.
            Self::Home { is_unwritable: false, .. }
            | Self::BackupFailed { .. }
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
