//! `write_procedure_code`

use super::prompt::{OwnPrompt, PROCEDURE, failure};

pub const PROMPT: OwnPrompt = OwnPrompt {
    name: "write_procedure_code",
    title: "Write the code of a procedure",
    description: "Everything an agent needs to write the code of a procedure itself.",
    arguments: &[(PROCEDURE, "Number or name of the procedure.", true)],
    text: |services, arguments| {
        Box::pin(async move {
            let wanted = arguments.procedure()?;
            let guide = services.blocking(move |library| library.authoring_guide(&wanted)).await;
            guide.map_err(|error| failure(&error))
        })
    },
};
