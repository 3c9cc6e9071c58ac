//! What agents did becomes a candidate that does it again. Another recording of the same task makes that candidate better: where
//! they differ are its parameters.

use crate::{
    compiler,
    domain::{
        CreatedBy, Definition, Hinted as _, Permissions, ProcedureName, Status, VersionKind,
        name::{MAX_NAME_CHARS, slugify},
        recording::{Recording, procedure, procedure::Made},
    },
    library::{
        Activity, Actor, DefinitionDraft, DefinitionPatch, GenerateRequest, Library, LibraryError, NewCode,
        ProcedureRef, Services, home::Plan, now_ms, procedures::runtime_choice::choose,
    },
    storage::{NewRecording, RecordingRow, StorageError},
};

const CATEGORY: &str = "recorded";
const MAX_CALLS: usize = 1000;
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_PROMPT_CHARS: usize = 4000;
const MAX_NAMES: u32 = 100;
const WORDS_OF_NAME: usize = 6;

/// What a recording led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub procedure_id: i64,
    pub name: String,
    pub status: Status,
    pub candidate_id: Option<i64>,
    /// Whether the task was recorded before.
    pub is_known: bool,
    pub definition: Definition,
    /// What of its permissions the policy does not grant.
    pub missing: Permissions,
}

impl Library {
    /// Keeps a recording and makes a candidate of it. `None` where nothing was done that could be done again, or, with
    /// `only_worth`, nothing that is worth a look.
    ///
    /// # Errors
    /// What is wrong with it, or [`LibraryError::Storage`].
    pub fn submit_recording(
        &self,
        recording: Recording,
        session: Option<&str>,
        only_worth: bool,
    ) -> Result<Option<Recorded>, LibraryError> {
        check(&recording)?;
        let prompt: String = recording.prompt.chars().take(MAX_PROMPT_CHARS).collect();
        let recording = Recording { prompt, ..recording }.scrubbed();
        let digest = hash(&serde_json::to_string(&recording).unwrap_or_default());
        self.refresh()?;
        if let Some(id) = self.database.read(|reader| reader.procedure_of_recording(&self.user, &digest))?
            && let Ok(known) = self.recorded(id, true)
        {
            return Ok(Some(known));
        }
        let kind = hash(&procedure::kind(&recording));
        let earlier = self.database.read(|reader| reader.recording_of_kind(&self.user, &kind))?;
        let before = earlier.as_ref().map(|row| &row.recording);
        let Some(made) = procedure::make(&recording, before) else { return Ok(None) };
        if only_worth && !made.is_worth_it && earlier.is_none() {
            return Ok(None);
        }
        let (id, is_known) = match earlier {
            Some(row) => (self.recorded_again(&row, &made)?, true),
            None => (self.store_recorded(&recording, &made, session)?, false),
        };
        let new = NewRecording {
            session,
            recording: &recording,
            digest: &digest,
            kind: &kind,
            procedure_id: id,
            at: now_ms(),
        };
        self.database.write_synced::<_, StorageError>(|writer| writer.add_recording(&self.user, &new))?;
        self.recorded(id, is_known).map(Some)
    }

    fn recorded(&self, id: i64, is_known: bool) -> Result<Recorded, LibraryError> {
        let row = self.procedure(&ProcedureRef::Id(id))?;
        let candidate_id = self.database.read(|reader| reader.proposal_of(id))?;
        let missing = self.missing(row.definition.permissions.as_ref())?;
        Ok(Recorded {
            procedure_id: id,
            name: row.definition.name.to_string(),
            status: row.definition.status,
            candidate_id,
            is_known,
            definition: row.definition,
            missing,
        })
    }

    /// What of these the policy does not grant.
    pub(super) fn missing(&self, wanted: Option<&Permissions>) -> Result<Permissions, LibraryError> {
        let policy = &self.config()?.policy;
        let Some(wanted) = wanted else { return Ok(Permissions::default()) };
        let is_granted = |command: &&String| {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            policy.allows_command(&words)
        };
        let has_tool =
            |tool: &&String| tool.split_once('/').is_some_and(|(server, tool)| policy.allows_tool(server, tool));
        Ok(Permissions {
            commands: wanted.commands.iter().filter(|command| !is_granted(command)).cloned().collect(),
            tools: wanted.tools.iter().filter(|tool| !has_tool(tool)).cloned().collect(),
            ..Permissions::default()
        })
    }

    /// Has a candidate say what both recordings say. What somebody decided on, or changed, stays as it is.
    fn recorded_again(&self, earlier: &RecordingRow, made: &Made) -> Result<i64, LibraryError> {
        let wanted = ProcedureRef::Id(earlier.procedure_id);
        let row = self.procedure(&wanted)?;
        let is_ours = row.definition.may_be_changed_by(&self.user);
        if row.definition.status != Status::Candidate || !is_ours {
            return Ok(row.id);
        }
        // Its words may have been made from the values of the first.
        let as_made = procedure::make(&earlier.recording, None);
        if as_made.is_none_or(|as_made| as_made.steps != row.definition.steps) {
            return Ok(row.id);
        }
        let patch = DefinitionPatch {
            steps: Some(made.steps.clone()),
            parameters: Some(made.parameters.clone()),
            examples: Some(made.examples.clone()),
            ..DefinitionPatch::default()
        };
        let mut definition = row.definition.clone();
        patch.apply(&mut definition)?;
        if definition == row.definition {
            return Ok(row.id);
        }
        let code = compiler::compile(&definition);
        let choice = choose(&code, Some(&definition), None, &*self.config()?);
        if !choice.analysis.is_storable() {
            return Err(LibraryError::CodeRejected { issues: choice.analysis.issues });
        }
        let confidence = choice.analysis.confidence(&definition);
        self.commit_change(&Actor::program(), |reader| {
            let now = self.find_own(reader, &wanted)?;
            if now.version != row.version {
                let (name, expected) = (definition.name.to_string(), row.version);
                return Err(LibraryError::StaleVersion { name, expected, current: now.version });
            }
            Ok(Plan {
                subject: format!("Record {} again", definition.name),
                kind: VersionKind::Definition,
                confidence: Some(confidence),
                change: Plan::change(&definition, Some(&code), None, None)?,
                leaves: None,
            })
        })?;
        Ok(row.id)
    }

    /// Stores the candidate with the code that its steps compile to.
    fn store_recorded(&self, recording: &Recording, made: &Made, session: Option<&str>) -> Result<i64, LibraryError> {
        let description = described(recording, made);
        for attempt in 1..=MAX_NAMES {
            let fields = DefinitionPatch {
                description: Some(description.clone()),
                category: Some(CATEGORY.to_owned()),
                steps: Some(made.steps.clone()),
                parameters: Some(made.parameters.clone()),
                examples: Some(made.examples.clone()),
                permissions: made.permissions.clone(),
                status: Some(Status::Candidate),
                problem: Some(description.clone()),
                source_session: session.map(str::to_owned),
                ..DefinitionPatch::default()
            };
            let definition = DefinitionDraft { name: name_of(&description, attempt), fields }.build()?;
            let owner = Some(self.user.clone());
            let definition = Definition { owner, created_by: CreatedBy::Learned, ..definition };
            let code = compiler::compile(&definition);
            match self.store(definition, Some(NewCode::from(code.as_str())), None, &Actor::program()) {
                Ok(made) => return Ok(made.procedure.id),
                Err(LibraryError::NameTaken { .. } | LibraryError::NameHidden(_) | LibraryError::NotOwner { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(LibraryError::invalid_with_hint(
            format!("{MAX_NAMES} procedures have the name of this recording already"),
            "review those that wait first",
        ))
    }
}

/// The prompt without its values.
fn described(recording: &Recording, made: &Made) -> String {
    let mut text = recording.prompt.lines().next().unwrap_or_default().trim().chars().take(300).collect::<String>();
    for (name, value) in made.examples.last().into_iter().flat_map(|example| &example.parameters) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if value.len() > 1 {
            text = text.replace(&value, &format!("<{name}>"));
        }
    }
    if text.is_empty() {
        let steps = made.steps.iter().map(|step| step.words().trim().to_owned());
        text = steps.take(3).collect::<Vec<_>>().join("; ").chars().take(300).collect();
    }
    text
}

fn name_of(description: &str, attempt: u32) -> String {
    let end = if attempt == 1 { String::new() } else { format!("_{attempt}") };
    let words = description.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 1);
    let slug = slugify(&words.take(WORDS_OF_NAME).collect::<Vec<_>>().join(" "));
    let slug: String = slug.chars().take(MAX_NAME_CHARS - end.len()).collect();
    let name = format!("{}{end}", slug.trim_matches(['_', '-']));
    if ProcedureName::parse(&name).is_ok() { name } else { format!("recorded{end}") }
}

fn check(recording: &Recording) -> Result<(), LibraryError> {
    let (calls, bytes) = (recording.calls.len(), serde_json::to_string(recording).map_or(0, |text| text.len()));
    if calls == 0 || calls > MAX_CALLS {
        return Err(LibraryError::invalid(format!("`calls` has {calls} entries; give 1 to {MAX_CALLS} of them")));
    }
    if bytes > MAX_BYTES {
        return Err(LibraryError::invalid_with_hint(
            format!("the recording is {bytes} bytes of JSON, at most {MAX_BYTES} are possible"),
            "leave out results that nothing is taken from",
        ));
    }
    Ok(())
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(32).collect()
}

impl Services {
    /// The same as [`Library::submit_recording`]; where a language model is configured, it then writes the code of a new
    /// candidate. What can't be written so stays compiled from the steps.
    ///
    /// # Errors
    /// As there.
    pub async fn record(
        &self,
        recording: Recording,
        session: Option<String>,
        only_worth: bool,
    ) -> Result<Option<Recorded>, LibraryError> {
        let submit = move |library: &Library| {
            let made = library.submit_recording(recording, session.as_deref(), only_worth)?;
            Ok((made, library.config()?.model.is_some()))
        };
        let (made, has_model) = self.blocking(submit).await?;
        if let Some(made) = &made
            && has_model
            && !made.is_known
            && made.status == Status::Candidate
        {
            let request = GenerateRequest {
                wanted: ProcedureRef::Id(made.procedure_id),
                code: None,
                dependencies: None,
                runtime: None,
                use_model: true,
                refine: true,
                by: Actor::program(),
            };
            if let Err(error) = self.generate(request, &Activity::default()).await {
                let error = error.in_full();
                tracing::info!(
                    procedure = made.name,
                    error,
                    "the code of what was recorded stays compiled from its steps"
                );
            }
        }
        Ok(made)
    }
}
