//! What the steps of a definition call and is not there: said when its code is made, not when it is executed.

use crate::{
    domain::{Definition, skill::server_and_tool},
    library::{Library, LibraryError, ProcedureRef},
};

impl Library {
    /// A remark on each procedure and each server of a tool that steps call and that can't be called now.
    ///
    /// # Errors
    /// When the configuration or the database can't be read.
    pub(super) fn uncallable(&self, definition: &Definition) -> Result<Vec<String>, LibraryError> {
        let config = self.config()?;
        let mut remarks = Vec::new();
        for (index, step) in definition.steps.iter().enumerate() {
            let Some(skill) = step.skill() else { continue };
            let why = match server_and_tool(skill) {
                Some((server, _)) if config.mcp_servers.contains_key(server) => continue,
                Some((server, _)) => {
                    format!("there is no MCP server `{server}`; the user can add it to config.toml")
                }
                None => match self.procedure(&ProcedureRef::Name(skill.to_owned())) {
                    Err(LibraryError::ProcedureNotFound { .. } | LibraryError::ProcedureDeleted { .. }) => {
                        "there is no procedure of that name; remember it before this one is executed".to_owned()
                    }
                    Err(error) => return Err(error),
                    Ok(found) if found.definition.name == definition.name => continue,
                    Ok(found) if found.code.is_none() => {
                        "that has no code yet; generate_procedure_code makes it".to_owned()
                    }
                    Ok(found) if !found.definition.enabled => "that is disabled".to_owned(),
                    Ok(_) => continue,
                },
            };
            remarks.push(format!("step {} calls `{skill}`, but {why}", index + 1));
        }
        Ok(remarks)
    }
}
