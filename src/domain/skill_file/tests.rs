//! Front matter as people write it: what is read of it, or the line where it can't be.

use super::*;

/// What is expected of a file: the name and the description, or the line of the fault.
enum Expected {
    Read(Option<&'static str>, Option<&'static str>),
    Refused(usize),
}

use Expected::{Read, Refused};

const SAID: Option<&str> = Some("Sorts notes");
const NAME: Option<&str> = Some("tidy");

const FILES: &[(&str, Expected)] = &[
    // As it should be, and with other line ends and marks.
    ("---\nname: tidy\ndescription: Sorts notes\n---\nBody\n", Read(NAME, SAID)),
    ("---\r\nname: tidy\r\ndescription: Sorts notes\r\n---\r\nBody\r\n", Read(NAME, SAID)),
    ("\u{feff}---\nname: tidy\ndescription: Sorts notes\n---\nBody\n", Read(NAME, SAID)),
    ("\u{feff}---\r\nname: tidy\r\ndescription: Sorts notes\r\n---\r\n", Read(NAME, SAID)),
    ("---  \t\nname: tidy\ndescription: Sorts notes\n---\t\nBody\n", Read(NAME, SAID)),
    ("\n\n---\nname: tidy\ndescription: Sorts notes\n---\nBody\n", Read(NAME, SAID)),
    ("---\nname: tidy\ndescription: Sorts notes\n...\nBody\n", Read(NAME, SAID)),
    ("---\nname: tidy\ndescription: Sorts notes\n---", Read(NAME, SAID)),
    // Quotes and blocks.
    ("---\nname: 'tidy'\ndescription: \"Sorts notes\"\n---\n", Read(NAME, SAID)),
    ("---\nname: tidy\ndescription: >-\n  Sorts\n  notes\n---\n", Read(NAME, SAID)),
    ("---\nname: tidy\ndescription: >\n  Sorts\n  notes\n\n---\n", Read(NAME, SAID)),
    (
        "---\nname: tidy\ndescription: |\n  Sorts: notes\n  Use when: late\n---\n",
        Read(NAME, Some("Sorts: notes\nUse when: late")),
    ),
    ("---\nname: tidy\ndescription: |-\r\n  One\r\n  two\r\n---\r\n", Read(NAME, Some("One\ntwo"))),
    ("---\nname: tidy\ndescription:\n  Sorts\n  notes\n---\n", Read(NAME, SAID)),
    ("---\nname: tidy\ndescription: 'It''s \"late\"'\n---\n", Read(NAME, Some("It's \"late\""))),
    ("---\nname: tidy\ndescription: \"a\\u00e4\\tb\"\n---\n", Read(NAME, Some("aä\tb"))),
    // No YAML, but what is meant is plain.
    ("---\nname: tidy\ndescription: Use when: notes are mixed\n---\n", Read(NAME, Some("Use when: notes are mixed"))),
    ("---\nname: tidy\ndescription: Says 'go': it's 5: late\n---\n", Read(NAME, Some("Says 'go': it's 5: late"))),
    (
        "---\nname: tidy\ndescription:\n  The \"plan\". Pairs\n  with this: go first,\n---\n",
        Read(NAME, Some("The \"plan\". Pairs with this: go first,")),
    ),
    ("---\nname: tidy\ndescription: Sorts notes\nargument-hint: [file] [mode]\n---\n", Read(NAME, SAID)),
    ("---\nname: tidy\ndescription: `code` first: then text\n---\n", Read(NAME, Some("`code` first: then text"))),
    ("---\nname: tidy\ndescription: @mention: someone\n---\n", Read(NAME, Some("@mention: someone"))),
    ("---\nname: tidy\ndescription: \"Quoted\" and then: more\n---\n", Read(NAME, Some("\"Quoted\" and then: more"))),
    ("---\nname: tidy\ndescription: *any* text\n---\n", Read(NAME, Some("*any* text"))),
    // Other types of values.
    ("---\nname: 123\ndescription: 1.10\n---\n", Read(Some("123"), Some("1.10"))),
    ("---\nname: yes\ndescription: no\n---\n", Read(Some("yes"), Some("no"))),
    ("---\nname: tidy\ndescription: 2026-01-31\n---\n", Read(NAME, Some("2026-01-31"))),
    ("---\nname:\ndescription: ~\n---\nBody\n", Read(None, None)),
    ("---\nname: \"\"\ndescription: null\n---\nBody\n", Read(None, None)),
    ("---\nname: tidy\ndescription: \"null\"\n---\n", Read(NAME, Some("null"))),
    ("---\nname: tidy\ndescription: [a, b]\n---\n", Refused(3)),
    ("---\nname:\n  first: a\ndescription: b\n---\n", Refused(2)),
    // Other keys.
    (
        "---\nname: tidy\ndescription: Sorts notes\nallowed-tools:\n  - Read\n  - Bash(git:*)\nmetadata:\n  a: {b: c}\n---\n",
        Read(NAME, SAID),
    ),
    ("---\n# a remark\nname: tidy # another\ndescription: Sorts notes\nx-unknown: !tag {}\n---\n", Read(NAME, SAID)),
    ("---\nname: größe\ndescription: 整理笔记 🎉\n---\n", Read(Some("größe"), Some("整理笔记 🎉"))),
    // None, or none that ends.
    ("# Tidy\n\nSorts notes.\n", Read(None, None)),
    ("", Read(None, None)),
    ("---\n---\nBody\n", Read(None, None)),
    ("---\n# only a remark\n---\nBody\n", Read(None, None)),
    ("---\nname: tidy\ndescription: Sorts notes\n\nBody\n", Refused(1)),
    ("Text\n---\nname: tidy\n---\n", Read(None, None)),
    // What is wrong.
    ("---\nname: tidy\nname: other\ndescription: a\n---\n", Refused(3)),
    ("---\n- name\n- tidy\n---\n", Refused(2)),
    ("---\njust a text\n---\n", Refused(2)),
    ("---\nname: &a tidy\ndescription: *a\n---\n", Read(NAME, Some("*a"))),
    ("---\nname: \"tidy\ndescription: a\n---\n", Read(Some("\"tidy"), Some("a"))),
    ("---\n? [a]\n: b\n---\n", Refused(2)),
    ("---\nname: tidy\n\tdescription: a\n---\n", Refused(2)),
];

#[test]
fn front_matter_is_read_or_refused_with_its_line() {
    let mut wrong = Vec::new();
    for (text, expected) in FILES {
        let read = SkillFile::read(text).and_then(|read| {
            assert!(text.ends_with(read.body), "{text}");
            let said = |key| read.front.text(key).map(|text| text.map(str::to_owned));
            Ok((said("name")?, said("description")?))
        });
        let is_right = match (&read, expected) {
            (Ok((name, description)), Read(wanted, said)) => {
                name.as_deref() == *wanted && description.as_deref() == *said
            }
            (Err(fault), Refused(line)) => fault.line == *line && !fault.why.is_empty(),
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{text:?}: {read:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_takes_more_than_it_gives_is_a_text_or_refused() {
    let deep = format!("---\na: {}{}\n---\n", "[".repeat(5000), "]".repeat(5000));
    let maps = format!("---\na: {}1{}\n---\n", "{b: ".repeat(300), "}".repeat(300));
    let many = format!("---\na: [{}]\n---\n", "1, ".repeat(5000));
    let bomb = "---\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nname: t\n---\n".to_owned();
    for text in [deep, maps, many, bomb] {
        let read = SkillFile::read(&text).unwrap();
        assert!(
            !read.front.mended.is_empty() && read.front.text("a").is_ok_and(|text| text.is_some())
                || text.contains("*a")
        );
    }
    let lines = format!("---\na:\n{}---\n", "  - b\n".repeat(5000));
    let long = format!("---\na: {}\n---\n", "b".repeat(70_000));
    for text in [lines, long] {
        assert!(SkillFile::read(&text).is_err(), "{}", &text[..40]);
    }
}

#[test]
fn the_form_of_a_text_says_its_steps() {
    let body = "# T\n\n1. Read `all`\n2. Sort {{them}}\n\n```sh\n1. no step\n```\n3) **Write**\n";
    assert_eq!(steps(body), ["Read all", "Sort them", "Write"]);
    assert_eq!(steps("## 1. Look\ntext\n## 2. Act\n1. a\n2. b\n\n1. c\n2. d\n"), ["Look", "Act"]);
    assert!(steps("Only text.\n## One heading\n").is_empty());
    assert_eq!(first_paragraph("# Title\n\nSorts\nnotes.\n\nMore").as_deref(), Some("Sorts notes."));
    assert_eq!(first_paragraph("# Title\n").as_deref(), Some("Title"));
    assert_eq!(first_paragraph("\n\n"), None);
}

#[test]
fn front_matter_is_the_json_that_others_make_of_it() {
    let text = "---\nname: a\nversion: 1.10\nquoted: \"1.10\"\ncount: 0x1F\nis_new: true\nlist: [1, no, ~]\n\
                metadata:\n  since: 2026-01-01\n  1: one\n---\nbody\n";
    let front = SkillFile::read(text).unwrap().front;
    let wanted = serde_json::json!({"name": "a", "version": 1.1, "quoted": "1.10", "count": 31, "is_new": true,
        "list": [1, "no", null], "metadata": {"since": "2026-01-01", "1": "one"}});
    assert_eq!(serde_json::Value::Object(front.json), wanted);
}
