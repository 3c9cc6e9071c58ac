//! Lessons that are told: judged by rules or by a loopback model, kept while it is down, and told from their twins.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use super::candidates::{candidates, review};
use crate::common::{
    Home, RawClient,
    client::Protocol as Mcp,
    eventually,
    model_server::{ModelServer, Protocol, Reply},
    text,
};

const RAG: &str = "Inject RAG context into the user message instead of the system prompt, because models treat system prompts as \
                   behavioural guidelines.";

fn tell(client: &mut RawClient, lessons: &[&str]) -> Vec<Value> {
    let answer = client.ok("submit_lessons", json!({"lessons": lessons, "session_name": "spring-2026"}));
    answer["lessons"].as_array().unwrap().clone()
}

fn procedure(client: &mut RawClient, name: &Value) -> Value {
    client.ok("get_procedure", json!({"procedure_id": name}))["definition"].clone()
}

fn with_model(server: &ModelServer) -> (Home, RawClient) {
    let home = Home::with_config(&format!(
        "[model]\nprovider = 'ollama'\nname = 'gemma'\nbase_url = '{}'\nretries = 0\n",
        server.url()
    ));
    let client = home.start_with(&[], Mcp::V2025);
    (home, client)
}

fn procedural(fields: Value) -> Reply {
    let mut answer = json!({
        "is_procedural": true, "name": "rag in user message", "problem": "RAG context ignored",
        "solution": "Inject into user message", "reasoning": "Models prioritise user messages",
        "anti_patterns": ["Don't use system message"], "tags": ["rag", "prompt"],
    });
    answer.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    Reply::Text(format!("```json\n{answer}\n```"))
}

#[test]
fn a_lesson_becomes_a_candidate_that_nobody_finds_until_it_is_approved() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "tidy", "description": "Tidy the desk.", "steps": ["Tidy"]}));
    let told = tell(&mut client, &[RAG]).remove(0);
    assert_eq!((text(&told, "verdict"), text(&told, "judged_by")), ("candidate", "rules"), "{told}");
    assert!(told["confidence"].as_f64().unwrap() <= 0.7, "{told}");
    let definition = procedure(&mut client, &told["name"]);
    assert_eq!((text(&definition, "status"), text(&definition, "created_by")), ("candidate", "learned"));
    assert_eq!((text(&definition, "source_lesson"), text(&definition, "source_session")), (RAG, "spring-2026"));
    let query = json!({"query": "RAG context user message", "as_prompt": true});
    assert!(!client.ok("recall_procedures", query.clone()).to_string().contains("RAG context into"));
    // Those in use are apart from those that wait.
    let listed = client.ok("list_procedures", json!({"status": "active"}));
    assert_eq!((listed["count"].as_u64(), text(&listed["procedures"][0], "name")), (Some(1), "tidy"));
    let waiting = candidates(&mut client);
    assert_eq!((waiting.len(), &waiting[0]["candidate_id"]), (1, &told["candidate_id"]));
    assert_eq!(waiting[0]["evidence"]["lessons"], json!([RAG]));
    let id = told["candidate_id"].as_i64().unwrap();
    assert_eq!(text(&review(&mut client, id, "approve"), "status"), "active");
    assert!(client.ok("recall_procedures", query).to_string().contains("RAG context into"));
    assert!(candidates(&mut client).is_empty());
    // What is in use can't be approved again, and what is not there can be neither approved nor rejected.
    client.refused("review_candidate", json!({"candidate_id": id, "decision": "approve"}), "already_reviewed");
    for decision in ["approve", "reject"] {
        client.refused("review_candidate", json!({"candidate_id": 999, "decision": decision}), "candidate_not_found");
    }
}

#[test]
fn what_is_rejected_is_known_when_it_is_told_again() {
    let home = Home::new();
    let mut client = home.start();
    let told = tell(&mut client, &[RAG]).remove(0);
    let id = told["candidate_id"].as_i64().unwrap();
    assert_eq!(text(&review(&mut client, id, "reject"), "status"), "rejected");
    assert!(candidates(&mut client).is_empty());
    let again = tell(&mut client, &[&RAG.replace("behavioural guidelines", "rules of behaviour")]).remove(0);
    assert_eq!((text(&again, "verdict"), &again["procedure_id"]), ("twin", &told["procedure_id"]), "{again}");
    assert_eq!(again["nearest"]["status"], json!("archived"));
    assert!(candidates(&mut client).is_empty());
}

#[test]
fn only_what_says_how_to_do_something_becomes_a_candidate() {
    let home = Home::new();
    let mut client = home.start();
    let told = tell(
        &mut client,
        &["Taoist philosophy is interesting", "Don't use the weather tool: it does not work, it timed out twice."],
    );
    assert_eq!((text(&told[0], "verdict"), text(&told[1], "verdict")), ("not_procedural", "passing_failure"));
    assert!(candidates(&mut client).is_empty());
    let fields = json!({
        "name": "drain first", "problem": "A node has to be serviced", "solution": "Drain it", "tags": ["ops"],
        "steps": ["Announce it", {"command": ["kubectl", "drain", "{{node}}"]}, "Service it"],
        "parameters": [{"name": "node", "type": "string"}],
    });
    let told = client.ok("submit_lessons", json!({"lessons": [fields]}))["lessons"][0].clone();
    assert_eq!((text(&told, "verdict"), text(&told, "name")), ("candidate", "drain_first"), "{told}");
    let definition = procedure(&mut client, &told["name"]);
    assert_eq!(
        (definition["steps"].as_array().unwrap().len(), text(&definition["parameters"][0], "name")),
        (3, "node")
    );
    let wrong = json!({"lessons": ["Run it.", {"problem": "x", "steps": [{"tool": "nameless"}]}]});
    let error = client.refused("submit_lessons", wrong, "invalid_argument");
    assert!(error.contains("lesson 2") && error.contains("server/tool"), "{error}");
    client.refused("submit_lessons", json!({"lessons": []}), "invalid_argument");
}

#[test]
fn secrets_in_lessons_are_not_kept() {
    let home = Home::new();
    let mut client = home.start();
    let key = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2");
    let lesson = format!("When the push fails, run `git push https://ada:hunter2@git.example.org` with token {key}.");
    let told = tell(&mut client, &[&lesson]).remove(0);
    let shown = procedure(&mut client, &told["name"]).to_string();
    assert!(shown.contains("<secret>") && !shown.contains(&key) && !shown.contains("hunter2"), "{shown}");
    assert!(client.close().success());
    let database = fs::read(home.path().join("repertoire.db")).unwrap();
    let has = |word: &str| database.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(has("<secret>") && !has(&key) && !has("hunter2"));
}

#[test]
fn a_model_takes_lessons_apart() {
    let no = Reply::Text("{\"is_procedural\": false}".to_owned());
    let server = ModelServer::start(Protocol::Ollama, [procedural(json!({})), no]);
    let (_home, mut client) = with_model(&server);
    let context = json!({"lessons": ["RAG should be injected into user message"], "session_context": "About prompts."});
    let told = client.ok("submit_lessons", context)["lessons"][0].clone();
    assert_eq!((text(&told, "verdict"), text(&told, "judged_by")), ("candidate", "model"), "{told}");
    let listed = candidates(&mut client).remove(0);
    assert_eq!(
        (text(&listed, "problem"), text(&listed, "solution")),
        ("RAG context ignored", "Inject into user message")
    );
    assert_eq!(listed["tags"], json!(["rag", "prompt"]));
    let asked = &server.requests()[0].body;
    assert!(asked.to_string().contains("About prompts."), "{asked}");
    assert!(asked["options"]["temperature"].as_f64().unwrap() < 0.2, "{asked}");
    let told = tell(&mut client, &["Taoist philosophy is interesting"]).remove(0);
    assert_eq!((text(&told, "verdict"), text(&told, "judged_by")), ("not_procedural", "model"));
}

#[test]
fn a_model_recognises_twins_among_the_nearest() {
    let server = ModelServer::start(Protocol::Ollama, [procedural(json!({})), procedural(json!({"same_as": 1}))]);
    let (_home, mut client) = with_model(&server);
    let first = tell(&mut client, &[RAG]).remove(0);
    let twin = "Retrieved documents belong in the user turn; a model reads its system prompt as rules of conduct.";
    let told = tell(&mut client, &[twin]).remove(0);
    assert_eq!((text(&told, "verdict"), &told["procedure_id"]), ("twin", &first["procedure_id"]), "{told}");
    assert!(server.requests()[1].body.to_string().contains("Known procedures"), "it is shown what is near");
    let listed = candidates(&mut client).remove(0);
    assert_eq!((&listed["evidence"]["count"], &listed["evidence"]["lessons"][1]), (&json!(2), &json!(twin)));
}

#[test]
fn a_model_that_is_down_loses_no_lesson() {
    let down = || Reply::Status(503, "overloaded".to_owned(), None);
    let server = ModelServer::start(Protocol::Ollama, [down(), down(), procedural(json!({})), procedural(json!({}))]);
    let (_home, mut client) = with_model(&server);
    let told = tell(&mut client, &[RAG, "When a pod restarts, run `kubectl logs --previous`."]);
    assert!(told.iter().all(|one| one["verdict"] == json!("waiting")), "{told:?}");
    eventually("both are judged", || candidates(&mut client).len() == 2);
    assert_eq!(text(&candidates(&mut client)[0], "problem"), "RAG context ignored");
}

#[test]
fn answers_that_can_not_be_used_leave_it_to_rules() {
    let server = ModelServer::start(
        Protocol::Ollama,
        ["Sorry.", "{}", "{\"is_procedural\": 1}"].map(|it| Reply::Text(it.into())),
    );
    let (_home, mut client) = with_model(&server);
    assert_eq!(tell(&mut client, &[RAG])[0]["verdict"], json!("waiting"));
    eventually("rules judged it", || candidates(&mut client).len() == 1);
    assert_eq!(server.requests().len(), 3);
}

/// The lines of a file of lessons; of twins, both.
fn lessons(name: &str) -> Vec<(String, Option<String>)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lessons").join(name);
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| match line.split_once(" | ") {
            Some((one, twin)) => (one.to_owned(), Some(twin.to_owned())),
            None => (line.to_owned(), None),
        })
        .collect()
}

/// What became of 300 lessons and 200 twins of them, told in this order.
#[derive(Debug, Default)]
struct Figures {
    lost: Vec<String>,
    own: Vec<String>,
    wrong: Vec<String>,
    /// Twins of which the right lesson was the nearest.
    nearest: usize,
}

fn tell_all() -> Figures {
    let all: Vec<_> = ["twins_a.txt", "twins_b.txt", "alone.txt"].into_iter().flat_map(lessons).collect();
    let home = Home::new();
    let mut client = home.start();
    // First and second halves in turn, so that twins come among lessons that have none.
    let mut queue: Vec<(usize, bool, String)> = Vec::new();
    for (at, (one, _)) in all.iter().enumerate() {
        queue.push((at, false, one.clone()));
        if let Some((before, (_, Some(twin)))) = at.checked_sub(40).map(|before| (before, &all[before])) {
            queue.push((before, true, twin.clone()));
        }
    }
    let late =
        all.iter().enumerate().skip(all.len() - 40).filter_map(|(at, (_, twin))| Some((at, true, twin.clone()?)));
    queue.extend(late);
    assert_eq!(queue.len(), 500);
    let mut names: Vec<Option<Value>> = vec![None; all.len()];
    let mut figures = Figures::default();
    for chunk in queue.chunks(50) {
        let texts: Vec<&str> = chunk.iter().map(|(_, _, text)| text.as_str()).collect();
        for ((at, is_twin, text), told) in chunk.iter().zip(tell(&mut client, &texts)) {
            let is_candidate = told["verdict"] == json!("candidate");
            match (is_twin, is_candidate) {
                (false, true) => names[*at] = Some(told["name"].clone()),
                (false, false) => figures.lost.push(format!("{text} → {told}")),
                (true, true) => figures.own.push(text.clone()),
                (true, false) if told["verdict"] == json!("twin") && names[*at].as_ref() != Some(&told["name"]) => {
                    figures.wrong.push(format!("{text} → {told}"));
                }
                (true, false) => {}
            }
            figures.nearest +=
                usize::from(*is_twin && names[*at].as_ref() == told.get("nearest").map(|near| &near["name"]));
        }
    }
    let kept: BTreeSet<String> = names.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(kept.len() + figures.lost.len(), 300);
    figures
}

/// Words alone: they tell most twins and lose hardly any lesson; of nearly all twins the right lesson is shown as the nearest.
#[test]
fn most_twins_are_recognised_by_words_and_few_lessons_are_lost() {
    let figures = tell_all();
    let report = format!(
        "lost {} of 300, own candidates {} of 200 twins, taken for another's twin {}, right neighbour {}\n{:#?}",
        figures.lost.len(),
        figures.own.len(),
        figures.wrong.len(),
        figures.nearest,
        figures
    );
    println!("{report}");
    assert!(figures.lost.len() <= 6, "{report}");
    assert!(figures.own.len() <= 60, "{report}");
    assert!(figures.wrong.len() <= 5, "{report}");
    assert!(figures.nearest >= 180, "{report}");
}

/// Twins in other words, of other trades, from lessons that nothing was fitted to, each beside a lesson of the same subject that says
/// something else. Words tell few of them; most others have the right lesson among the nearest, which a model is shown.
#[test]
fn lessons_on_the_same_subject_stay_apart() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lessons/held_out.txt");
    let text = fs::read_to_string(file).unwrap();
    let all: Vec<Vec<&str>> = text.lines().map(|line| line.split(" | ").collect()).collect();
    assert!(all.len() == 100 && all.iter().all(|parts| parts.len() == 3));
    let home = Home::new();
    let mut client = home.start();
    let mut told = |place: usize| {
        let texts: Vec<&str> = all.iter().map(|parts| parts[place]).collect();
        let mut told = Vec::new();
        for texts in texts.chunks(50) {
            told.extend(tell(&mut client, texts));
        }
        told
    };
    let (first, others, twins) = (told(0), told(2), told(1));
    let is_twin = |told: &&Value| told["verdict"] == json!("twin");
    let lost = first.iter().chain(&others).filter(is_twin).count();
    let right = twins.iter().zip(&first).filter(|(twin, one)| twin["nearest"]["name"] == one["name"]).count();
    let report = format!(
        "of 200 lessons {lost} lost, of 100 twins {} recognised, the right lesson the nearest of {right}",
        twins.iter().filter(is_twin).count()
    );
    println!("{report}");
    assert!(lost <= 12 && right >= 40, "{report}");
}
