//! What there is to say of a candidate, by its kind.

use serde_json::Value;

use super::{
    dossier::{Change, Dossier, Neighbour},
    proposals::lesson,
    review::{CandidateView, Source, drafted},
};
use crate::{
    compiler,
    domain::{
        CreatedBy, Definition, Permissions, Procedure, Step,
        learning::{Lesson, lesson::plain},
    },
    library::{Actor, Library, LibraryError, procedures::near, rfc3339},
    storage::{LessonWords, Reader, RecordingRow},
    validation,
};

/// What has less in common than this has nothing to do with a candidate.
const NEAR: f64 = 0.2;
const RUNS_NAMED: usize = 5;
const STEPS: &str = "steps";
const CODE: &str = "code";

impl Library {
    /// A candidate that waits, with all that a person needs to know to decide on it.
    ///
    /// # Errors
    /// [`LibraryError::CandidateNotFound`], [`LibraryError::CandidateReviewed`] or [`LibraryError::CandidateBusy`].
    pub fn dossier(&self, id: i64) -> Result<Dossier, LibraryError> {
        self.refresh()?;
        self.database.read(|reader| {
            let view = self.open_view(reader, id)?;
            self.dossier_of(reader, view)
        })
    }

    /// Whoever decides on what they saw is believed where that is what there is.
    pub(super) fn believed(&self, id: i64, by: &Actor) -> Result<Actor, LibraryError> {
        match by.saw() {
            Some(saw) if self.dossier(id)?.digest() == saw => Ok(by.believed()),
            Some(_) => Err(LibraryError::CandidateChanged(id)),
            None => Ok(by.clone()),
        }
    }

    fn dossier_of(&self, reader: &Reader<'_>, view: CandidateView) -> Result<Dossier, LibraryError> {
        let CandidateView { id, lesson, source, lessons, recording, .. } = view;
        let rejected = reader.reason(id)?.map(|reason| format!("put away before: {reason}"));
        let mut dossier = match source {
            Source::Outcomes(evidence) => {
                let row = reader.candidate(&self.user, id)?.ok_or(LibraryError::CandidateNotFound(id))?;
                let more = if evidence.count > RUNS_NAMED as u64 { ", …" } else { "" };
                let runs = evidence.run_ids.iter().take(RUNS_NAMED).cloned().collect::<Vec<_>>().join(", ");
                let (first, last) = evidence.times;
                Dossier {
                    id,
                    kind: evidence.kind.as_str().replace('_', "-"),
                    title: evidence.workflow_id.clone(),
                    says: said(&lesson),
                    evidence: vec![
                        format!("{} runs of `{}` ended so: {runs}{more}", evidence.count, evidence.workflow_id),
                        format!("between {} and {}", rfc3339(first / 1000), rfc3339(last / 1000)),
                        format!("of all its runs, {} succeeded and {} failed", evidence.successes, evidence.failures),
                    ],
                    recorded: None,
                    change: None,
                    needs: Vec::new(),
                    neighbour: match drafted(&row) {
                        Ok(definition) => self.neighbour(reader, None, &definition)?,
                        Err(_) => None,
                    },
                    words: Some(lesson),
                    code: None,
                    basis: String::new(),
                }
            }
            Source::Amendment(amending) => self.dossier_of_amendment(id, &amending)?,
            Source::Procedure(procedure) => {
                let recording = recording.as_ref().map(|(row, _)| row);
                self.dossier_of_procedure(reader, id, &procedure, lessons, recording)?
            }
        };
        dossier.evidence.extend(rejected);
        if let Some(near) = &dossier.neighbour
            && let Some(known) = reader.procedure(near.id)?
        {
            let common = near.likeness * 100.0;
            let title = format!("beside `{}`, which is nearest ({common:.0} % of the words in common)", near.name);
            let (mut before, mut after) = (face(&known), dossier.says.clone());
            let has_code = |says: &[(String, String)]| says.iter().any(|(name, _)| name == CODE);
            if has_code(&before) != has_code(&after) {
                // What only one of them has at all need not be read twice.
                before.retain(|(name, _)| name != CODE);
                after.retain(|(name, _)| name != CODE);
            }
            dossier.change = Change::between_all(title, &before, &after);
        }
        Ok(dossier)
    }

    fn dossier_of_procedure(
        &self,
        reader: &Reader<'_>,
        id: i64,
        procedure: &Procedure,
        (count, lessons): (u64, Vec<LessonWords>),
        recording: Option<&RecordingRow>,
    ) -> Result<Dossier, LibraryError> {
        let definition = &procedure.definition;
        let mut evidence = Vec::new();
        let shown = u64::try_from(lessons.len()).unwrap_or(u64::MAX);
        for LessonWords { told, session, .. } in lessons {
            let session = session.map_or_else(String::new, |session| format!(" ({session})"));
            evidence.push(format!("told: {}{session}", told.words()));
        }
        if count > shown {
            evidence.push(format!("and told {} times more", count - shown));
        }
        let mut recorded = None;
        let kind = match recording {
            Some(RecordingRow { recording, session, .. }) => {
                let session = session.as_ref().map_or_else(String::new, |session| format!(" ({session})"));
                evidence.push(format!("asked: {}{session}", recording.prompt));
                let done = recording.calls.iter().map(|call| call.line()).collect();
                recorded = Some((done, lines_of_steps(&definition.steps)));
                "recorded"
            }
            None if count > 0 => "lesson",
            None => "procedure",
        };
        if kind == "procedure" {
            let by = match definition.created_by {
                CreatedBy::User => "a person or an agent",
                CreatedBy::Learned => "what was learned",
                CreatedBy::Imported => "an import",
            };
            evidence.push(format!(
                "proposed by {by}, as version {}, {}",
                procedure.version,
                rfc3339(procedure.updated_at)
            ));
        }
        let wanted = definition.permissions.clone().or_else(|| seen_to_need(procedure));
        let missing = self.missing(wanted.as_ref())?;
        Ok(Dossier {
            id,
            kind: kind.to_owned(),
            title: definition.name.to_string(),
            // Steps that stand beside what was done are not shown twice.
            says: face(procedure).into_iter().filter(|(name, _)| recorded.is_none() || name != STEPS).collect(),
            evidence,
            recorded,
            change: None,
            needs: to_grant(&missing),
            neighbour: self.neighbour(reader, Some(procedure.id), definition)?,
            words: Some(lesson(definition)),
            code: None,
            basis: format!(
                "{}\n{}\n{}",
                serde_json::to_string(definition).unwrap_or_default(),
                procedure.code.as_deref().unwrap_or_default(),
                procedure.lock.as_deref().unwrap_or_default()
            ),
        })
    }

    /// What is nearest to a definition, where anything is near it.
    pub(super) fn neighbour(
        &self,
        reader: &Reader<'_>,
        id: Option<i64>,
        definition: &Definition,
    ) -> Result<Option<Neighbour>, LibraryError> {
        let nearest = near(reader, &self.user, id, definition)?.into_iter().find(|near| near.similarity >= NEAR);
        let Some(near) = nearest else { return Ok(None) };
        let row = reader.procedure(near.id)?.filter(|row| row.deleted_at.is_none());
        Ok(row.map(|row| Neighbour {
            id: near.id,
            name: near.name,
            likeness: near.similarity,
            is_own: self.check_owner(reader, &row).is_ok(),
        }))
    }
}

fn said(lesson: &Lesson) -> Vec<(String, String)> {
    let Lesson { problem, solution, reasoning, anti_patterns, tags, steps } = lesson;
    let texts = [("problem", problem), ("solution", solution), ("why", reasoning)];
    let mut says: Vec<(&str, String)> = texts.map(|(name, text)| (name, text.trim().to_owned())).to_vec();
    says.extend(anti_patterns.iter().map(|text| ("avoid", text.clone())));
    says.push(("tags", tags.join(", ")));
    // A lesson of one step may say no more than that.
    if steps.iter().any(|step| *step != plain(solution)) {
        says.push((STEPS, numbered(steps.iter().cloned()).join("\n")));
    }
    says.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name.to_owned(), text)).collect()
}

/// What a procedure says, without what is said twice.
fn face(procedure: &Procedure) -> Vec<(String, String)> {
    let definition = &procedure.definition;
    let taught = lesson(definition);
    let is_told = matches!(&definition.steps[..], [Step::Sentence(only)] if *only == plain(&taught.solution));
    // What is no text of its own is the steps.
    let solution = definition.solution.clone().unwrap_or_default();
    let mut says = said(&Lesson { solution: if is_told { taught.solution.clone() } else { solution }, ..taught });
    let mut add = |name: &str, text: String| {
        if !text.is_empty() {
            says.push((name.to_owned(), text));
        }
    };
    if !is_told {
        add(STEPS, lines_of_steps(&definition.steps).join("\n"));
    }
    let parameters = definition.parameters.iter().map(|parameter| {
        let default = parameter.default.as_ref().map_or_else(String::new, |value| format!(" = {value}"));
        let what = parameter.description.as_ref().map_or_else(String::new, |what| format!(" ({what})"));
        format!("{}: {}{default}{what}", parameter.name, parameter.kind.annotation())
    });
    add("parameters", parameters.collect::<Vec<_>>().join("\n"));
    for (name, text) in others(definition) {
        add(&name, text);
    }
    add("template", definition.template.clone().unwrap_or_default());
    let trigger = definition.trigger.as_ref().and_then(|trigger| serde_json::to_string(trigger).ok());
    add("starts by", trigger.unwrap_or_default());
    let touches = definition.permissions.clone().or_else(|| seen_to_need(procedure)).unwrap_or_default();
    add("touches", touched(&touches).join("\n"));
    let own_code = procedure.code.as_deref().filter(|code| compiler::compile(definition).trim() != code.trim());
    add(CODE, own_code.unwrap_or_default().trim_end().to_owned());
    says
}

/// Fields of a definition that are shown in words of their own, or that say nothing of what it does.
const KNOWN: [&str; 21] = [
    "name",
    "category",
    "former_names",
    "tags",
    "steps",
    "parameters",
    "template",
    "trigger",
    "permissions",
    "status",
    "owner",
    "created_by",
    "problem",
    "solution",
    "reasoning",
    "anti_patterns",
    "source_session",
    "source_lesson",
    "icon",
    "color",
    "enabled",
];

/// All other fields, as they are: nothing that is decided on goes unseen.
fn others(definition: &Definition) -> Vec<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::to_value(definition) else { return Vec::new() };
    let said = Value::from(lesson(definition).problem);
    let is_said = |name: &str, value: &Value| KNOWN.contains(&name) || (name == "description" && *value == said);
    let fields = fields.into_iter().filter(|(name, value)| !is_said(name, value));
    let shown = |value: Value| match value {
        Value::String(text) => text,
        Value::Array(items) => {
            let line = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            items.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    };
    fields.map(|(name, value)| (name.replace('_', " "), shown(value))).collect()
}

fn numbered(lines: impl Iterator<Item = String>) -> Vec<String> {
    (1..).zip(lines).map(|(number, line)| format!("{number}. {line}")).collect()
}

fn lines_of_steps(steps: &[Step]) -> Vec<String> {
    numbered(steps.iter().map(|step| match step {
        Step::Command(step) => step.command.join(" "),
        Step::Tool(step) => format!("{} {}", step.tool, serde_json::to_string(&step.arguments).unwrap_or_default()),
        other => other.words().trim().replace('\n', " "),
    }))
}

/// What the code of a procedure is seen to touch, which its definition does not say.
fn seen_to_need(procedure: &Procedure) -> Option<Permissions> {
    let code = procedure.code.as_deref()?;
    Some(validation::analyze_for(code, &procedure.definition).permissions_needed)
}

fn touched(permissions: &Permissions) -> Vec<String> {
    let Permissions { commands, read, write, tools, network, model } = permissions;
    let lists = [("commands", commands), ("read", read), ("write", write), ("tools", tools), ("network", network)];
    let lines = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let lines = lines.map(|(name, list)| format!("{name}: {}", list.join(", ")));
    lines.chain(model.then(|| "the language model".to_owned())).collect()
}

fn to_grant(missing: &Permissions) -> Vec<String> {
    let line = |name: &str, entries: &[String]| {
        let quoted: Vec<String> = entries.iter().map(|entry| format!("'{entry}'")).collect();
        (!entries.is_empty()).then(|| format!("{name} = [{}]", quoted.join(", ")))
    };
    [line("commands", &missing.commands), line("tools", &missing.tools)].into_iter().flatten().collect()
}
