//! What an agent needs to know to write the code of a procedure itself.

use crate::{
    domain::{Definition, Permissions, Procedure},
    host,
    library::{Library, LibraryError, ProcedureRef},
    validation,
};

const TEMPLATE: &str = include_str!("guide.md");
/// The guide as a whole has to stay below 1,500 tokens, which are at least three characters each.
const MAX_DEFINITION_CHARS: usize = 1200;

impl Library {
    /// Instructions for writing the code of a procedure, in fewer than 1,500 tokens.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`].
    pub fn authoring_guide(&self, wanted: &ProcedureRef) -> Result<String, LibraryError> {
        let row = self.procedure(wanted)?;
        let policy = &self.config()?.policy;
        Ok(guide(&row, policy))
    }
}

fn guide(row: &Procedure, policy: &Permissions) -> String {
    let present = match (&row.code, row.code_confidence) {
        (Some(_), Some(confidence)) => format!(
            "\nThere is code already (version {}, confidence {confidence}); get_procedure shows it.",
            row.code_version.unwrap_or(row.version)
        ),
        _ => String::new(),
    };
    TEMPLATE
        .replace("{name}", &row.definition.name.identifier())
        .replace("{modules}", &validation::interpreter_modules().join(" "))
        .replace("{permissions}", &permissions(policy))
        .replace("{present}", &present)
        .replace("{stub}", &host::outline())
        // Last, because a definition may contain anything.
        .replace("{definition}", &essentials(&row.definition, MAX_DEFINITION_CHARS))
}

/// What the policy grants, in a sentence.
pub(in crate::library) fn permissions(policy: &Permissions) -> String {
    let list = |what: &str, entries: &[String]| {
        let shown: Vec<&str> = entries.iter().take(12).map(String::as_str).collect();
        let rest = if entries.len() > shown.len() { ", …" } else { "" };
        (!shown.is_empty()).then(|| format!("{what}: {}{rest}", shown.join(", ")))
    };
    let granted: Vec<String> = [
        list("commands", &policy.commands),
        list("read", &policy.read),
        list("write", &policy.write),
        list("tools", &policy.tools),
        list("network", &policy.network),
        policy.model.then(|| "the model".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if granted.is_empty() {
        "Granted on this machine: nothing. Code that needs a command or a file will tell the user what to grant."
            .to_owned()
    } else {
        format!("Granted on this machine: {}.", granted.join("; "))
    }
}

/// What the code depends on, as JSON of at most `most_chars` characters: no labels, no history.
pub(in crate::library) fn essentials(definition: &Definition, most_chars: usize) -> String {
    let shown = serde_json::json!({
        "name": definition.name,
        "description": definition.description,
        "steps": definition.steps,
        "parameters": definition.parameters,
        "template": definition.template,
        "examples": definition.examples,
        "preconditions": definition.preconditions,
        "postconditions": definition.postconditions,
        "permissions": definition.permissions,
    });
    let mut shown = shown;
    if let Some(fields) = shown.as_object_mut() {
        fields
            .retain(|_, value| !value.is_null() && *value != serde_json::json!([]) && *value != serde_json::json!(""));
    }
    let text = shown.to_string();
    match text.char_indices().nth(most_chars) {
        Some((end, _)) => format!("{}… (get_procedure shows all of it)", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(steps: usize) -> Procedure {
        let steps: Vec<String> =
            (0..steps).map(|step| format!("Do the thing with the number {step} {{definition}}")).collect();
        let definition =
            json!({"name": "release-it", "category": "git", "description": "Cut a release.", "steps": steps});
        Procedure {
            id: 1,
            definition: serde_json::from_value(definition).unwrap(),
            code: None,
            lock: None,
            version: 1,
            code_version: None,
            code_prior: None,
            code_confidence: None,
            created_at: 0,
            updated_at: 0,
            deleted_at: None,
            successes: 0,
            failures: 0,
            uses: 0,
            last_run_at: None,
            has_artifacts: false,
            is_broken: false,
        }
    }

    #[test]
    fn the_guide_is_short_whatever_the_definition_says() {
        let policy =
            Permissions { commands: (0..50).map(|n| format!("program{n} sub")).collect(), ..Permissions::default() };
        for steps in [1, 200] {
            let text = guide(&row(steps), &policy);
            // English text and code have more than 3.5 characters a token.
            assert!(text.len() < 1_500 * 7 / 2, "{} bytes", text.len());
            assert!(!text.contains("{stub}") && !text.contains("{modules}"), "{text}");
        }
    }

    #[test]
    fn the_guide_names_the_function_and_the_grants() {
        let text = guide(&row(1), &Permissions { read: vec!["/data".into()], ..Permissions::default() });
        assert!(text.contains("`release_it`") && text.contains("read: /data"), "{text}");
        assert!(text.contains("\nrun_command(command: list[str]"), "{text}");
    }
}
