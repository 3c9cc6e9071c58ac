//! The engine with a runtime whose saved state is what it was answered: a run pauses, its process is gone, and another
//! goes on from the answers.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Active, Decision, Engine};
use crate::{
    config::{Config, Start},
    domain::{Decider, Outcome, RunStatus},
    library::{Actor, DefinitionDraft, DefinitionPatch, Library, ProcedureRef, Starters},
    runtime::{Runtimes, Suspension, scripted::Scripted},
};

fn call(function: &str, argument: &str) -> Suspension {
    Suspension::Call {
        function: function.to_owned(),
        args: vec![json!(argument)],
        kwargs: Map::new(),
        offset: 0,
        call_id: 1,
        is_awaited: false,
    }
}

/// Logs, waits for somebody, logs again, and returns everything that it was answered.
fn script(answers: &[Value]) -> Suspension {
    match answers.len() {
        0 => call("log", "before"),
        1 => call("manual_step", "look"),
        2 => call("log", "after"),
        _ => Suspension::Ended(json!(answers)),
    }
}

fn scripted() -> Runtimes {
    Runtimes { sandbox: Arc::new(Scripted(script)), python: Arc::new(Scripted(script)) }
}

fn library(home: &std::path::Path) -> Arc<Library> {
    let config = Config::load(&Start { home: Some(home.to_owned()), ..Start::default() }).unwrap();
    Arc::new(Library::open(config, Starters::Skip).unwrap())
}

#[tokio::test]
async fn a_run_goes_on_from_its_answers_where_there_is_no_snapshot() {
    let home = tempfile::tempdir().unwrap();
    let run_id = {
        let library = library(home.path());
        let fields = DefinitionPatch { template: Some("say something".to_owned()), ..DefinitionPatch::default() };
        let draft = DefinitionDraft { name: "scripted".to_owned(), fields };
        library.remember(draft, Some("def scripted():\n    return None\n".into()), &Actor::program()).unwrap();
        let engine = Engine::with_runtimes(library, scripted());
        let wanted = ProcedureRef::Name("scripted".to_owned());
        let paused = engine.execute(&wanted, Map::new(), Active::default()).await.unwrap();
        assert_eq!((paused.outcome, paused.output.as_str()), (Outcome::Paused, "before\n"));
        paused.run_id
    };
    let engine = Engine::with_runtimes(library(home.path()), scripted());
    let decision = Decision::Approve(Some(json!(7)));
    let ended = engine.resume(&run_id, decision, Decider::Person("ada".to_owned()), Active::default()).await.unwrap();
    assert_eq!(ended.status, RunStatus::Succeeded);
    assert_eq!(ended.result, Some(json!([null, 7, null])));
    assert_eq!(ended.output, "before\nafter\n");
}
