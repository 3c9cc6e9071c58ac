//! What runs say of whole procedures: that two do the same, or that nobody needs one.

use serde_json::{Map, json};

use crate::{
    domain::{
        Definition, Procedure, Status,
        learning::{
            Lesson,
            amending::{Amendment, AmendmentKind, Change, MERGE_AFTER, RETIRE_AFTER_DAYS, agreements, signature},
        },
    },
    library::{LibraryError, now_ms, procedures::similar},
    storage::Reader,
};

pub const DAY_MS: i64 = 86_400_000;
/// Runs of each procedure whose results are compared.
const COMPARED: u32 = 200;
/// More that are to be put away would only be in the way of what else waits.
const MOST_RETIRED: u64 = 5;

/// Another procedure that does the same and is better proven, which is to take the place of this one. Those that are less
/// proven than this one may have to give way to it: they are added to `others`.
pub(super) fn merge(
    reader: &Reader<'_>,
    user: &str,
    row: &Procedure,
    others: &mut Vec<i64>,
) -> Result<Option<Amendment>, LibraryError> {
    let mut own = None;
    for near in similar(reader, user, Some(row.id), &row.definition)? {
        let Some(other) = reader.procedure(near.id)?.filter(|other| may_be_amended(other, user)) else { continue };
        if other.definition.owner != row.definition.owner
            || other.definition.is_shared != row.definition.is_shared
            || signature(&other.definition) != signature(&row.definition)
        {
            continue;
        }
        if !is_better_proven(&other, row) {
            others.push(other.id);
            continue;
        }
        // What starts by itself would stop.
        if row.definition.trigger.is_some() {
            continue;
        }
        let own = match &mut own {
            Some(own) => own,
            None => own.insert(reader.results(user, row.id, COMPARED)?),
        };
        let Some(agreed) = agreements(own, &reader.results(user, other.id, COMPARED)?) else { continue };
        let is_same_text = says_the_same(&other, row);
        if agreed >= MERGE_AFTER || is_same_text {
            return Ok(Some(merge_of(row, &other, near.similarity, agreed, is_same_text)));
        }
    }
    Ok(None)
}

/// That nobody has used it for long, and that it never was of use.
pub(super) fn retire(reader: &Reader<'_>, user: &str, row: &Procedure) -> Result<Option<Amendment>, LibraryError> {
    let definition = &row.definition;
    // What belongs to nobody came with the program, or is for others to judge.
    if definition.trigger.is_some() || definition.owner.as_deref() != Some(user) || row.successes > 0 {
        return Ok(None);
    }
    let last = row.last_run_at.unwrap_or_default().max(row.updated_at.saturating_mul(1000));
    let days = u64::try_from(now_ms().saturating_sub(last) / DAY_MS).unwrap_or_default();
    if days < RETIRE_AFTER_DAYS {
        return Ok(None);
    }
    let is_known = reader.amendments_of(user, row.id)?.iter().any(|known| known.amendment.change == Change::Retire);
    if !is_known && reader.count_open_amendments(user, AmendmentKind::Retire)? >= MOST_RETIRED {
        return Ok(None);
    }
    let name = &definition.name;
    let mut evidence = Map::new();
    evidence.insert("unused_days".to_owned(), json!(days));
    evidence.insert("successes".to_owned(), json!(row.successes));
    evidence.insert("failures".to_owned(), json!(row.failures));
    Ok(Some(Amendment {
        code_version: None,
        change: Change::Retire,
        subject: String::new(),
        count: days,
        evidence,
        lesson: Lesson {
            problem: format!("Nobody has used `{name}` for {days} days, and it never succeeded."),
            solution: "Put it away: it stays in the history, and is not recalled.".to_owned(),
            reasoning: format!("It failed {} times; no success was ever counted or reported.", row.failures),
            tags: vec![name.to_string(), "retire".to_owned()],
            ..Lesson::default()
        },
    }))
}

/// More successes, then fewer failures, then the older one: of two procedures always one.
fn is_better_proven(one: &Procedure, other: &Procedure) -> bool {
    let proven = |row: &Procedure| (row.successes, std::cmp::Reverse(row.failures), std::cmp::Reverse(row.id));
    proven(one) > proven(other)
}

/// Whether two procedures have the same code but for their names, or the same words where neither has code.
fn says_the_same(one: &Procedure, other: &Procedure) -> bool {
    let nameless = |row: &Procedure| {
        row.code.as_ref().map(|code| code.replace(&format!("def {}(", row.definition.name.identifier()), "def ("))
    };
    match (nameless(one), nameless(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => {
            // What is only read is known by its words: lessons about other problems may well have the same steps.
            let read = |row: &Procedure| {
                let Definition { description, problem, solution, steps, template, .. } = row.definition.clone();
                (description, problem, solution, steps, template)
            };
            read(one) == read(other)
        }
        _ => false,
    }
}

fn merge_of(row: &Procedure, other: &Procedure, similarity: f64, agreed: u64, is_same_text: bool) -> Amendment {
    let (name, stays) = (&row.definition.name, &other.definition.name);
    let mut evidence = Map::new();
    evidence.insert("similarity".to_owned(), json!(similarity));
    evidence.insert("same_text".to_owned(), json!(is_same_text));
    evidence.insert("equal_results".to_owned(), json!(agreed));
    evidence.insert("successes".to_owned(), json!({name.as_str(): row.successes, stays.as_str(): other.successes}));
    let why = match (is_same_text, agreed) {
        (true, 0) => "They have the same text but for their names".to_owned(),
        (true, _) => format!("They have the same text but for their names, and gave equal results {agreed} times"),
        (false, _) => format!("They gave equal results for equal parameters {agreed} times, and never different ones"),
    };
    Amendment {
        code_version: None,
        change: Change::Merge { into: other.id, name: stays.to_string() },
        subject: other.id.to_string(),
        count: agreed.max(1),
        evidence,
        lesson: Lesson {
            problem: format!("`{name}` and `{stays}` do the same."),
            solution: format!("Put `{name}` away; who calls it gets `{stays}`, which is better proven."),
            reasoning: format!("{why}; `{stays}` succeeded {} times, `{name}` {}.", other.successes, row.successes),
            tags: vec![name.to_string(), stays.to_string(), "merge".to_owned()],
            ..Lesson::default()
        },
    }
}

/// Whether anything may be proposed for a procedure at all.
pub fn may_be_amended(row: &Procedure, user: &str) -> bool {
    let definition = &row.definition;
    row.deleted_at.is_none()
        && !row.is_broken
        && definition.status == Status::Active
        && !definition.pinned
        && definition.may_be_changed_by(user)
}
