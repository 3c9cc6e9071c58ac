//! What is made of a lesson that was judged: a candidate, more evidence for what is known, or nothing.

use super::known::{Known, Nearest, Neighbour};
use crate::{
    domain::{
        CreatedBy, Definition, ProcedureName, Status, Step,
        learning::{
            Lesson,
            lesson::plain,
            telling::{
                Told, Verdict,
                likeness::Fingerprint,
                rules::{self, Judged},
            },
        },
        name::{MAX_NAME_CHARS, slugify},
    },
    library::{Actor, DefinitionDraft, DefinitionPatch, Library, LibraryError},
    storage::{LessonJudged, LessonRow, StorageError},
};

const CATEGORY: &str = "learned";
/// Names that are tried.
const MAX_NAMES: u32 = 100;
/// Words of a problem that make a name.
const WORDS_OF_NAME: usize = 6;

/// What became of a lesson.
#[derive(Debug, Clone, PartialEq)]
pub struct Concluded {
    pub verdict: Verdict,
    /// `model` or `rules`; nobody yet where it waits.
    pub judged_by: Option<&'static str>,
    /// How sure the judgement is.
    pub confidence: Option<f64>,
    /// The number among the candidates, where it became or is like one.
    pub candidate_id: Option<i64>,
    /// What it became, or is a twin of: handle and name.
    pub procedure: Option<(i64, String)>,
    /// What is nearest to it.
    pub nearest: Option<Nearest>,
}

impl Concluded {
    pub(super) const WAITING: Self = Self {
        verdict: Verdict::Waiting,
        judged_by: None,
        confidence: None,
        candidate_id: None,
        procedure: None,
        nearest: None,
    };
}

/// What was found out about a lesson.
pub(super) struct Conclusion {
    pub judged: Judged,
    pub by: &'static str,
    /// What says the same.
    pub twin: Option<Neighbour>,
    pub name: Option<String>,
}

/// Whether a procedure can be made of a lesson, with the steps and parameters that it has.
pub(super) fn check(told: &Told) -> Result<(), LibraryError> {
    if told.steps.is_empty() && told.parameters.is_empty() {
        return Ok(());
    }
    draft(told, &rules::with_fields(Lesson::default(), told), None, "checked".to_owned()).build().map(drop)
}

impl Library {
    /// Acts on what was found out, and records it.
    pub(super) fn conclude(
        &self,
        row: &LessonRow,
        conclusion: Conclusion,
        neighbours: &[Neighbour],
        known: &mut Known,
        fingerprint: Fingerprint,
    ) -> Result<Concluded, LibraryError> {
        let Conclusion { judged, by, twin, name } = conclusion;
        let nearest = twin.as_ref().or_else(|| neighbours.first());
        let nearest =
            nearest.map(|near| Nearest { name: near.name.clone(), status: near.status, likeness: near.likeness });
        let (verdict, procedure, likeness) = match (judged.verdict, twin) {
            (Verdict::Candidate, Some(twin)) => (Verdict::Twin, Some((twin.id, twin.name)), twin.likeness),
            (Verdict::Candidate, None) => {
                let made = self.store_told(&row.told, &judged.lesson, row.session.as_deref(), name.as_deref())?;
                (Verdict::Candidate, Some(made), 1.0)
            }
            (verdict, _) => (verdict, None, 0.0),
        };
        let id = procedure.as_ref().map(|(id, _)| *id);
        let record =
            LessonJudged { verdict, by, confidence: judged.confidence, procedure: id.map(|id| (id, likeness)) };
        self.database.write::<_, StorageError>(|writer| writer.judge_lesson(row.id, &record))?;
        if let Some(id) = id {
            known.add(id, fingerprint);
        }
        let candidate_id = match id {
            Some(id) => self.database.read(|reader| reader.proposal_of(id))?,
            None => None,
        };
        Ok(Concluded {
            verdict,
            judged_by: Some(by),
            confidence: Some((judged.confidence * 100.0).round() / 100.0),
            candidate_id,
            procedure,
            nearest,
        })
    }

    /// Stores a lesson as a procedure that waits for a person's word.
    fn store_told(
        &self,
        told: &Told,
        lesson: &Lesson,
        session: Option<&str>,
        name: Option<&str>,
    ) -> Result<(i64, String), LibraryError> {
        for attempt in 1..=MAX_NAMES {
            let name = name_of(told, lesson, name, attempt);
            let definition = draft(told, lesson, session, name).build()?;
            let owner = Some(self.user.clone());
            let definition = Definition { owner, created_by: CreatedBy::Learned, ..definition };
            match self.store(definition, None, None, &Actor::program()) {
                Ok(made) => return Ok((made.procedure.id, made.procedure.definition.name.to_string())),
                Err(LibraryError::NameTaken { .. } | LibraryError::NameHidden(_) | LibraryError::NotOwner { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(LibraryError::invalid_with_hint(
            format!("{MAX_NAMES} candidates have the name of this lesson already"),
            "review them first, or give the lesson a `name`",
        ))
    }
}

fn draft(told: &Told, lesson: &Lesson, session: Option<&str>, name: String) -> DefinitionDraft {
    let steps = if !told.steps.is_empty() {
        told.steps.clone()
    } else if lesson.steps.is_empty() {
        vec![Step::Sentence(plain(&lesson.solution))]
    } else {
        // Commands in back-ticks stay: whoever approves it sees them. Braces of free text are no variables.
        let step = |step: &String| Step::Sentence(step.replace('{', "(").replace('}', ")"));
        lesson.steps.iter().map(step).collect()
    };
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let fields = DefinitionPatch {
        description: some(&lesson.problem),
        category: Some(CATEGORY.to_owned()),
        tags: Some(lesson.tags.clone()),
        steps: Some(steps),
        parameters: Some(told.parameters.clone()),
        status: Some(Status::Candidate),
        problem: some(&lesson.problem),
        solution: some(&lesson.solution),
        reasoning: some(&lesson.reasoning),
        anti_patterns: Some(lesson.anti_patterns.clone()),
        source_session: session.map(str::to_owned),
        source_lesson: Some(told.words()),
        ..DefinitionPatch::default()
    };
    DefinitionDraft { name, fields }
}

/// The name that was given, or one of the first words of the problem.
fn name_of(told: &Told, lesson: &Lesson, given: Option<&str>, attempt: u32) -> String {
    let end = if attempt == 1 { String::new() } else { format!("_{attempt}") };
    let words = || {
        let words = lesson.problem.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 1);
        words.take(WORDS_OF_NAME).collect::<Vec<_>>().join(" ")
    };
    let given = told.name.as_deref().or(given).map(str::to_owned).filter(|name| !name.trim().is_empty());
    let slug: String = slugify(&given.unwrap_or_else(words)).chars().take(MAX_NAME_CHARS - end.len()).collect();
    let name = format!("{}{end}", slug.trim_matches(['_', '-']));
    if ProcedureName::parse(&name).is_ok() { name } else { format!("lesson{end}") }
}
