//! Code for procedures that fail again and again, from the model that is configured. It is a proposal like any other: it waits
//! with its evidence, and where the model fails, the evidence waits alone.

use tokio_util::sync::CancellationToken;

use crate::{
    domain::{
        Hinted as _,
        learning::amending::{Amendment, Change},
    },
    library::{Activity, Library, LibraryError, Services},
    storage::{AmendmentRow, CandidateStatus},
};

impl Library {
    /// The next fix to ask a model for. It is asked once: who marks it first does so.
    fn take_fix(&self) -> Result<Option<AmendmentRow>, LibraryError> {
        if self.config()?.model.is_none() {
            return Ok(None);
        }
        let Some(row) = self.database.read(|reader| reader.fix_to_write(&self.user))? else { return Ok(None) };
        let is_ours = self.database.write(|writer| writer.ask_for_fix(row.id))?;
        Ok(is_ours.then_some(row))
    }

    /// Adds what a model wrote, where the amendment still waits and is about the same code.
    fn put_fix(&self, asked: &AmendmentRow, code: String) -> Result<(), LibraryError> {
        self.database.write(|writer| {
            let Some(row) = writer.amendment(&asked.user, asked.id)? else { return Ok(()) };
            let is_same = row.amendment.code_version == asked.amendment.code_version;
            if is_same && row.status == CandidateStatus::Candidate {
                let change = Change::Fix { code: Some(code) };
                writer.set_amendment(row.id, &Amendment { change, ..row.amendment })?;
            }
            Ok(())
        })
    }
}

impl Services {
    /// Has the code of one fix written, if one waits for that.
    pub(in crate::library::learning) async fn write_next_fix(
        &self,
        stop: &CancellationToken,
    ) -> Result<bool, LibraryError> {
        let Some(row) = self.blocking(Library::take_fix).await? else { return Ok(false) };
        let mut activity = Activity::default();
        activity.cancel = stop.clone();
        match self.code_of_model(row.procedure_id, &activity).await {
            Ok(Some(code)) => self.blocking(move |library| library.put_fix(&row, code)).await?,
            Ok(None) => tracing::info!(candidate = row.id, "the model has no sound code for a fix"),
            Err(error) => tracing::info!(candidate = row.id, error = error.in_full(), "no model writes a fix"),
        }
        Ok(true)
    }
}
