//! Texts that look alike, and names that every system takes as a folder.

use serde_json::json;

use crate::{
    common::{Home, RawClient, text},
    survival::commit_outside,
};

fn remembered(client: &mut RawClient, name: &str) -> String {
    let answer = client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"]}));
    text(&answer, "name").to_owned()
}

#[test]
fn a_name_has_one_form_and_is_found_in_others() {
    let home = Home::new();
    let mut client = home.start();
    for (name, stored, others) in [
        ("cafe\u{301}", "café", &["café", "CAFÉ", "ＣＡＦÉ"][..]),
        ("ｄｅｐｌｏｙ", "deploy", &["deploy", "Deploy", "ＤＥＰＬＯＹ"]),
        ("İstanbul", "istanbul", &["istanbul", "ISTANBUL", "İSTANBUL"]),
        ("Straße", "straße", &["straße", "STRASSE", "strasse", "STRAẞE"]),
        ("ﬁx", "fix", &["fix", "FIX", "ﬁx"]),
    ] {
        assert_eq!(remembered(&mut client, name), stored);
        for other in others.iter().chain([&name]) {
            let found = client.ok("get_procedure", json!({"procedure_id": other}));
            assert_eq!(found["name"], json!(stored), "{other}");
            let again = json!({"name": other, "steps": ["Do it"]});
            client.refused("remember_procedure", again, "name_taken");
        }
    }
    // A letter that is another one makes another name.
    assert_eq!(remembered(&mut client, "cafe"), "cafe");
}

#[test]
fn categories_and_tags_are_found_in_other_forms() {
    let home = Home::new();
    let mut client = home.start();
    let fields = json!({"name": "brew", "steps": ["Brew"], "category": "Cafe\u{301}", "tags": ["gru\u{308}n", "ｗｉｄｅ"],
                        "description": "ﬁlter ＣＯＦＦＥＥ, cre\u{300}me"});
    assert_eq!(client.ok("remember_procedure", fields)["category"], json!("café"));
    for filter in [
        json!({"category": "café"}),
        json!({"category": "Cafe\u{301}"}),
        json!({"tag": "grün"}),
        json!({"tag": "gru\u{308}n"}),
        json!({"tag": "ｗｉｄｅ"}),
    ] {
        assert_eq!(client.ok("list_procedures", filter.clone())["count"], json!(1), "{filter}");
    }
    for query in ["filter", "coffee", "ＣＯＦＦＥＥ", "crème", "cre\u{300}me", "brew GRÜN", "wide"] {
        let found = client.ok("recall_procedures", json!({"query": query}));
        assert_eq!(found["count"], json!(1), "{query}: {found}");
    }
}

#[test]
fn no_part_of_a_path_is_one_that_some_system_refuses() {
    let home = Home::new();
    let mut client = home.start();
    for reserved in ["con", "AUX", "nul", "com1", "LPT9", "ｃｏｎ", "prn.", " aux ", "com¹"] {
        for field in ["name", "category"] {
            let mut fields = json!({"name": "plain", "steps": ["Do it"]});
            fields[field] = json!(reserved);
            let error = client.refused("remember_procedure", fields, "invalid_argument");
            assert!(error.contains("reserved"), "{field} {reserved}: {error}");
        }
    }
    remembered(&mut client, "plain");
    client.refused("update_procedure", json!({"procedure_id": "plain", "category": "con"}), "invalid_argument");
    for (category, stored) in [("trailing. . ", "trailing"), ("../up", "up"), ("a/b\\c", "a_b_c")] {
        client.ok("update_procedure", json!({"procedure_id": "plain", "category": category}));
        let shown = client.ok("get_procedure", json!({"procedure_id": "plain"}));
        assert_eq!(shown["definition"]["category"], json!(stored));
    }
    for category in ["..", ". .", &"x".repeat(61)] {
        client.refused("update_procedure", json!({"procedure_id": "plain", "category": category}), "invalid_argument");
    }
}

#[test]
fn what_was_stored_in_another_form_stays_readable() {
    let home = Home::new();
    let mut client = home.start();
    remembered(&mut client, "seed");
    for name in ["ｄｅｐｌｏｙ", "ﬁx"] {
        let definition = json!({"name": name, "category": "con", "description": "Old.", "steps": ["Do it"], "tags": ["cafe\u{301}"]});
        let path = format!("procedures/con/{name}/procedure.json");
        commit_outside(&home.repository(), "By hand", &[(&path, Some(&definition.to_string()))]);
    }
    for (asked, name) in [("ｄｅｐｌｏｙ", "ｄｅｐｌｏｙ"), ("deploy", "ｄｅｐｌｏｙ"), ("FIX", "ﬁx")]
    {
        assert_eq!(client.ok("get_procedure", json!({"procedure_id": asked}))["name"], json!(name));
    }
    client.refused("remember_procedure", json!({"name": "deploy", "steps": ["Do it"]}), "name_taken");
    client.ok("update_procedure", json!({"procedure_id": "fix", "description": "New."}));
    for tag in ["café", "cafe\u{301}"] {
        assert_eq!(client.ok("list_procedures", json!({"tag": tag}))["count"], json!(2));
    }
}

#[test]
fn ids_have_one_form() {
    let home = Home::new();
    let mut client = home.start();
    let [composed, apart] = ["ré", "re\u{301}"];
    let save = |run: &str, x: i64| json!({"workflow_id": run, "run_id": run, "node_id": run, "branch_id": run, "state": {"x": x}});
    client.ok("save_checkpoint", save(apart, 1));
    client.ok("save_checkpoint", save(composed, 2));
    for run in [composed, apart] {
        assert_eq!(client.ok("list_checkpoints", json!({"run_id": run}))["count"], json!(2));
        assert_eq!(client.ok("get_resume_point", json!({"run_id": run}))["checkpoint"]["state"], json!({"x": 2}));
        let branches = client.ok("get_resume_point", json!({"run_id": run, "branch_ids": [run]}));
        assert!(branches.to_string().contains("\"x\":2"), "{branches}");
    }
}
