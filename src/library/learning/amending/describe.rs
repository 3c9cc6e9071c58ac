//! What a person is shown of an amendment before they decide on it.

use serde_json::Value;

use crate::{
    domain::learning::amending::{Amending, AmendmentKind, Change as What},
    library::{
        Library, LibraryError, ProcedureRef, VersionRef,
        learning::dossier::{Change, Dossier},
    },
};

impl Library {
    pub(in crate::library::learning) fn dossier_of_amendment(
        &self,
        id: i64,
        amending: &Amending,
    ) -> Result<Dossier, LibraryError> {
        let Amending { amendment, procedure } = amending;
        let name = procedure.definition.name.as_str();
        let kind = amendment.change.kind();
        let after = match &amendment.change {
            What::RollBack { to } => self.procedure_at(&ProcedureRef::Id(procedure.id), &VersionRef::Number(*to))?.code,
            change => change.code().map(str::to_owned),
        };
        let before = procedure.code.as_deref().unwrap_or_default();
        let change = after.as_deref().and_then(|after| Change::between(format!("the code of `{name}`"), before, after));
        let says = [
            ("problem", &amendment.lesson.problem),
            ("solution", &amendment.lesson.solution),
            ("why", &amendment.lesson.reasoning),
        ];
        let line = |(name, value): (&String, &Value)| {
            let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{}: {said}", name.replace('_', " "))
        };
        let takes_code = matches!(kind, AmendmentKind::Fix | AmendmentKind::Automate);
        Ok(Dossier {
            id,
            kind: kind.as_str().replace('_', " "),
            title: name.to_owned(),
            says: says
                .into_iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(name, text)| (name.to_owned(), text.clone()))
                .collect(),
            evidence: amendment.evidence.iter().map(line).collect(),
            recorded: None,
            change,
            needs: Vec::new(),
            neighbour: None,
            words: None,
            code: takes_code.then(|| after.clone().unwrap_or_else(|| before.to_owned())),
            basis: format!(
                "{}\n{}\n{before}\n{}",
                procedure.version,
                serde_json::to_string(&amendment.change).unwrap_or_default(),
                after.unwrap_or_default()
            ),
        })
    }
}
