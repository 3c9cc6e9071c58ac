//! Times of what happens inside the process; `repertoire bench` measures over the real protocol.

#![expect(clippy::expect_used, reason = "a benchmark that can't be set up has nothing to measure")]

use criterion::{Criterion, criterion_group, criterion_main};
use repertoire::{compiler, domain::Definition, library, validation};
use serde_json::json;

/// The longest starter, which is about what agents write.
fn longest_starter() -> (Definition, String) {
    let starters = library::starter_procedures().unwrap_or_default();
    let coded = starters.into_iter().filter_map(|(definition, code)| Some((definition, code?)));
    coded.max_by_key(|(_, code)| code.len()).expect("there are starters with code")
}

fn validate(criterion: &mut Criterion) {
    let (definition, code) = longest_starter();
    let name = definition.name.identifier();
    let context = validation::Context {
        entry_name: Some(&name),
        definition: Some(&definition),
        grants: None,
        runtime: definition.runtime,
    };
    let lines = code.lines().count();
    criterion.bench_function(&format!("validate {lines} lines"), |bencher| {
        bencher.iter(|| validation::analyze(&code, &context));
    });
    criterion.bench_function(&format!("find the entry point in {lines} lines"), |bencher| {
        bencher.iter(|| validation::entry_point(&code, Some(&name)));
    });
}

fn compile(criterion: &mut Criterion) {
    let definition: Definition = serde_json::from_value(json!({
        "name": "release",
        "category": "git",
        "steps": [
            "Run `git fetch --tags`",
            {"command": ["git", "tag", "v{{version}}"]},
            {"procedure": "draft_changelog", "arguments": {"since": "{{version}}"}},
            "Ask {{reviewer}} to approve",
        ],
        "parameters": [{"name": "version", "type": "string"}, {"name": "reviewer", "type": "string"}],
    }))
    .expect("a valid definition");
    criterion.bench_function("compile four steps", |bencher| bencher.iter(|| compiler::compile(&definition)));
}

criterion_group!(benches, validate, compile);
criterion_main!(benches);
