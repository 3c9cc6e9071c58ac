//! Sources that the validator was not written against: hostile ones must be refused, benign ones must not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use repertoire::validation::{Category, Context, Severity, analyze};

/// Share of either kind that may be judged wrongly.
const TOLERATED: f64 = 0.02;

fn sources(label: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/held_out").join(label);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What the validator says against the security of a source.
fn security_errors(file: &Path) -> Vec<String> {
    let analysis = analyze(&fs::read_to_string(file).unwrap(), &Context::default());
    assert!(analysis.checks.syntax, "{} is not Python: {:?}", file.display(), analysis.issues);
    let errors = analysis.issues.into_iter();
    let errors = errors.filter(|issue| issue.category == Category::Security && issue.severity == Severity::Error);
    errors.map(|issue| format!("{} line {:?}: {}", issue.code, issue.line, issue.message)).collect()
}

fn check(label: &str, is_wrong: impl Fn(&[String]) -> bool) {
    let files = sources(label);
    assert!(files.len() >= 100, "{label}: only {} sources", files.len());
    let wrong: Vec<String> = files
        .iter()
        .filter_map(|file| {
            let errors = security_errors(file);
            is_wrong(&errors).then(|| format!("{}: {errors:?}", file.file_name().unwrap().display()))
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "hundreds of files")]
    let share = wrong.len() as f64 / files.len() as f64;
    assert!(share <= TOLERATED, "{label}: {} of {} judged wrongly\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

#[test]
fn hostile_sources_are_refused() {
    check("hostile", <[String]>::is_empty);
}

#[test]
fn benign_sources_are_not_refused() {
    check("benign", |errors| !errors.is_empty());
}
