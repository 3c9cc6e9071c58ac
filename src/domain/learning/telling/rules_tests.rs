use super::*;

fn of(lesson: &str) -> Judged {
    judge(&Told { lesson: lesson.to_owned(), ..Told::default() })
}

#[test]
fn a_lesson_is_taken_apart_into_when_what_and_why() {
    let judged = of(
        "Inject RAG context into the user message instead of the system prompt, because models treat it as guidelines.",
    );
    assert_eq!(judged.verdict, Verdict::Candidate);
    insta::assert_json_snapshot!(judged.lesson, @r#"
    {
      "problem": "Models treat it as guidelines.",
      "solution": "Inject RAG context into the user message instead of the system prompt.",
      "reasoning": "Models treat it as guidelines.",
      "anti_patterns": [
        "The system prompt."
      ],
      "tags": [
        "rag"
      ],
      "steps": []
    }
    "#);
    let judged = of("When `git rebase` stops, run `git rebase --continue`, because a commit leaves it half done.");
    let Lesson { problem, solution, reasoning, tags, .. } = judged.lesson;
    assert_eq!(problem, "When `git rebase` stops.");
    assert_eq!(solution, "Run `git rebase --continue`.");
    assert_eq!((reasoning.as_str(), tags), ("A commit leaves it half done.", vec!["git".to_owned()]));
    assert!(judged.confidence <= SUREST);
}

#[test]
fn listed_lines_are_steps() {
    let judged = of("To release:\n1. Tag the commit.\n2. Run `just dist`.\n3. Upload the files.");
    assert_eq!(judged.lesson.steps, ["Tag the commit.", "Run `just dist`.", "Upload the files."]);
    assert_eq!(judged.lesson.problem, "To release.");
}

#[test]
fn observations_opinions_and_facts_are_no_lessons() {
    for lesson in [
        "Taoist philosophy is interesting",
        "The build took twelve minutes today.",
        "The user likes dark mode and works from Berlin.",
        "Rust is a nice language.",
        "Cache is full.",
        "The assistant provided helpful information.",
        "We talked about the roadmap for two hours.",
        "There are 214 files in the repository.",
        "The team was happy with the demo.",
        "",
    ] {
        assert_eq!(of(lesson).verdict, Verdict::NotProcedural, "{lesson}");
    }
}

#[test]
fn a_passing_failure_makes_no_lesson_that_a_tool_is_no_good() {
    for lesson in [
        "The search tool does not work: it timed out twice.",
        "Don't use the weather server, it answers 503.",
        "`jq` can't be used: command not found.",
        "npm install fails because there is no network.",
        "Avoid the GitHub API, it hit a rate limit and failed.",
        "The translation service is unreliable, the connection was reset: ECONNRESET.",
    ] {
        assert_eq!(of(lesson).verdict, Verdict::PassingFailure, "{lesson}");
    }
    for lesson in [
        "When an API answers 429, wait for the time in `Retry-After` and add jitter.",
        "If a build fails with a timeout, raise the limit in `ci.yml`.",
        "When `jq` is not installed, install it by `apt install jq`.",
        "Use exponential backoff with a maximum for retries, because constant retries keep a broken server down.",
    ] {
        assert_eq!(of(lesson).verdict, Verdict::Candidate, "{lesson}");
    }
}

#[test]
fn what_is_said_field_by_field_counts() {
    let told = Told {
        lesson: "Something about deploys".to_owned(),
        problem: Some("The deploy hangs.".to_owned()),
        solution: Some("Drain the node first.".to_owned()),
        tags: vec!["ops".to_owned()],
        ..Told::default()
    };
    let judged = judge(&told);
    assert_eq!((judged.verdict, judged.confidence), (Verdict::Candidate, OF_FIELDS));
    assert_eq!((judged.lesson.problem.as_str(), judged.lesson.tags), ("The deploy hangs.", vec!["ops".to_owned()]));
}
