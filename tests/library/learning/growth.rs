//! Growth from experience: what the growth of procedures is held to, each over stdio and at a terminal, with a model and without.

use serde_json::{Value, json};

use crate::{
    cli::review::{PROMPT, at_terminal},
    common::{
        Home, RawClient, eventually,
        model_server::{ModelServer, Protocol, Reply},
        terminal::Terminal,
        text,
    },
};

const LESSON: &str =
    "When RAG context is ignored, inject it into the user message, because models prioritise user messages.";
const OPINION: &str = "Taoist philosophy is interesting";

/// Where it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Stdio,
    Terminal,
}

/// What judges lessons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judge {
    Rules,
    Model,
}

const WORLDS: [(Door, Judge); 4] = [
    (Door::Stdio, Judge::Rules),
    (Door::Stdio, Judge::Model),
    (Door::Terminal, Judge::Rules),
    (Door::Terminal, Judge::Model),
];

struct World {
    home: Home,
    client: RawClient,
    door: Door,
    /// Has to be there as long as it is asked.
    _model: Option<ModelServer>,
}

fn procedural() -> Reply {
    let answer = json!({
        "is_procedural": true, "name": "rag in user message", "problem": "RAG context ignored",
        "solution": "Inject into user message", "reasoning": "Models prioritise user messages",
        "anti_patterns": ["Don't use system message"], "tags": ["rag", "prompt"],
    });
    Reply::Text(answer.to_string())
}

impl World {
    fn new((door, judge): (Door, Judge), replies: impl IntoIterator<Item = Reply>) -> Self {
        let home = Home::new();
        let model = (judge == Judge::Model).then(|| ModelServer::start(Protocol::Ollama, replies));
        if let Some(model) = &model {
            let url = model.url();
            home.configure(&format!("[model]\nprovider = 'ollama'\nname = 'gemma'\nbase_url = '{url}'\nretries = 0\n"));
        }
        let client = home.start();
        Self { home, client, door, _model: model }
    }

    /// One in which a lesson was told that became a candidate.
    fn with_candidate(which: (Door, Judge)) -> (Self, Value) {
        let mut world = Self::new(which, [procedural()]);
        let told = world.tell(LESSON);
        assert_eq!(text(&told, "verdict"), "candidate", "{which:?}: {told}");
        (world, told)
    }

    fn tell(&mut self, lesson: &str) -> Value {
        let lessons = json!({"lessons": [lesson], "session_name": "spring-2026"});
        self.client.ok("submit_lessons", lessons)["lessons"][0].clone()
    }

    fn remember(&mut self, name: &str) {
        let fields = json!({"name": name, "description": "Water the office plants.", "steps": ["Water them"]});
        self.client.ok("remember_procedure", fields);
    }

    fn at_terminal(&self, arguments: &[&str]) -> Terminal {
        Terminal::start(self.home.command(arguments), 100)
    }

    /// What a command shows at a terminal.
    fn shown(&self, arguments: &[&str]) -> String {
        self.at_terminal(arguments).end().1
    }

    /// The names of the candidates that wait.
    fn waiting(&mut self) -> Vec<String> {
        match self.door {
            Door::Stdio => {
                let listed = self.client.ok("list_candidates", json!({}));
                listed["candidates"].as_array().unwrap().iter().map(|one| text(one, "name").to_owned()).collect()
            }
            Door::Terminal => names(&self.shown(&["list", "--status", "candidate"])),
        }
    }

    /// The names of the procedures in use.
    fn active(&mut self) -> Vec<String> {
        match self.door {
            Door::Stdio => {
                let listed = self.client.ok("list_procedures", json!({"status": "active"}));
                listed["procedures"].as_array().unwrap().iter().map(|one| text(one, "name").to_owned()).collect()
            }
            Door::Terminal => names(&self.shown(&["list", "--status", "active"])),
        }
    }

    /// What recall finds for these words.
    fn recalled(&mut self, words: &str) -> String {
        match self.door {
            Door::Stdio => self.client.ok("recall_procedures", json!({"query": words, "as_prompt": true})).to_string(),
            Door::Terminal => self.shown(&["list", words]),
        }
    }

    /// Decides on a candidate: `a` or `r`; what came of it.
    fn decide(&mut self, id: i64, key: &str) -> Result<String, String> {
        let decision = if key == "a" { "approve" } else { "reject" };
        match self.door {
            Door::Stdio => {
                let call = json!({"candidate_id": id, "decision": decision});
                let answer = self.client.call("review_candidate", call);
                if answer["success"] == json!(true) {
                    Ok(text(&answer, "status").to_owned())
                } else {
                    Err(text(&answer, "error").to_owned())
                }
            }
            Door::Terminal => {
                let mut terminal = at_terminal(&self.home, &[&id.to_string()]);
                if terminal.expect_either(PROMPT, "error:") {
                    terminal.enter(key);
                    if key == "r" {
                        terminal.expect("no reason) › ");
                        terminal.enter("");
                    }
                }
                let (status, shown) = terminal.end();
                if status.success() { Ok(shown) } else { Err(shown) }
            }
        }
    }
}

/// The second column of a table.
fn names(table: &str) -> Vec<String> {
    let rows = table.lines().skip(1).filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    let rows = rows.filter(|line| !line.contains("`repertoire"));
    rows.filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect()
}

#[test]
fn add_candidate_not_indexed() {
    for which in WORLDS {
        let (mut world, told) = World::with_candidate(which);
        let definition = world.client.ok("get_procedure", json!({"procedure_id": told["name"]}))["definition"].clone();
        assert_eq!(text(&definition, "status"), "candidate", "{which:?}");
        assert_eq!((text(&definition, "source_lesson"), text(&definition, "source_session")), (LESSON, "spring-2026"));
        assert!(!world.recalled("RAG context ignored").contains(text(&told, "name")), "{which:?}");
    }
}

#[test]
fn load_candidates_only() {
    for which in WORLDS {
        let (mut world, told) = World::with_candidate(which);
        world.remember("water_plants");
        assert_eq!(world.waiting(), [text(&told, "name")], "{which:?}");
    }
}

#[test]
fn load_active_only() {
    for which in WORLDS {
        let (mut world, _) = World::with_candidate(which);
        world.remember("water_plants");
        assert_eq!(world.active(), ["water_plants"], "{which:?}");
    }
}

#[test]
fn approve_candidate() {
    for which in WORLDS {
        let (mut world, told) = World::with_candidate(which);
        world.decide(1, "a").unwrap();
        let name = text(&told, "name");
        assert_eq!(world.active(), [name], "{which:?}");
        assert!(world.waiting().is_empty());
        assert!(world.recalled("RAG context ignored").contains(name), "{which:?}: it is found now");
    }
}

#[test]
fn reject_candidate() {
    for which in WORLDS {
        let (mut world, _) = World::with_candidate(which);
        world.decide(1, "r").unwrap();
        assert!(world.waiting().is_empty() && world.active().is_empty(), "{which:?}");
    }
}

#[test]
fn approve_nonexistent() {
    for which in WORLDS {
        let error = World::new(which, []).decide(999, "a").unwrap_err();
        assert!(error.contains("there is no candidate `999`"), "{which:?}: {error}");
    }
}

#[test]
fn reject_nonexistent() {
    for which in WORLDS {
        let error = World::new(which, []).decide(999, "r").unwrap_err();
        assert!(error.contains("there is no candidate `999`"), "{which:?}: {error}");
    }
}

#[test]
fn approve_active_fails() {
    for which in WORLDS {
        let (mut world, _) = World::with_candidate(which);
        world.decide(1, "a").unwrap();
        let error = world.decide(1, "a").unwrap_err();
        assert!(error.contains("candidate `1` was approved by"), "{which:?}: {error}");
    }
}

#[test]
fn candidates_excluded_from_prompt() {
    for which in WORLDS {
        let (mut world, told) = World::with_candidate(which);
        world.remember("water_plants");
        let found = world.recalled("water the office plants");
        assert!(found.contains("water_plants"), "{which:?}: {found}");
        let found = world.recalled("inject RAG context into the user message");
        assert!(!found.contains(text(&told, "name")), "{which:?}: {found}");
    }
}

#[test]
fn extracts_procedural_lesson() {
    for which in WORLDS {
        let (mut world, told) = World::with_candidate(which);
        let definition = world.client.ok("get_procedure", json!({"procedure_id": told["name"]}))["definition"].clone();
        let (problem, solution) = (text(&definition, "problem"), text(&definition, "solution"));
        assert_ne!(problem, solution, "{which:?}");
        if which.1 == Judge::Model {
            assert_eq!((problem, solution), ("RAG context ignored", "Inject into user message"));
            assert_eq!(definition["tags"], json!(["rag", "prompt"]));
            assert_eq!(definition["anti_patterns"], json!(["Don't use system message"]));
        } else {
            assert!(told["confidence"].as_f64().unwrap() <= 0.7, "rules are honest: {told}");
        }
        if which.0 == Door::Terminal {
            let mut terminal = at_terminal(&world.home, &["1"]);
            let panel = terminal.expect(PROMPT).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(panel.contains(problem) && panel.contains(solution), "{panel}");
            terminal.end_input();
            assert!(terminal.end().0.success());
        }
    }
}

#[test]
fn rejects_non_procedural() {
    for which in WORLDS {
        let mut world = World::new(which, [Reply::Text("{\"is_procedural\": false}".to_owned())]);
        assert_eq!(text(&world.tell(OPINION), "verdict"), "not_procedural", "{which:?}");
        assert!(world.waiting().is_empty());
    }
}

#[test]
fn handles_a_model_that_is_down() {
    for which in WORLDS {
        let mut world = World::new(which, [Reply::Disconnect, procedural()]);
        let told = world.tell(LESSON);
        let wanted = if which.1 == Judge::Model { "waiting" } else { "candidate" };
        assert_eq!(text(&told, "verdict"), wanted, "{which:?}");
        eventually("the lesson is a candidate", || world.waiting().len() == 1);
    }
}
