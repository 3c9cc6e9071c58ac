//! The Skills extension: procedures in use as Agent Skills.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::common::{Home, Protocol, RawClient, remember, text};

const CODE: &str = "def greet(name: str) -> str:\n    \"\"\"Greet.\"\"\"\n    return \"Hello \" + name\n";

fn skills(client: &mut RawClient) -> Vec<Value> {
    let answer = client.request("skills/list", json!({}));
    answer["result"]["skills"].as_array().unwrap_or_else(|| panic!("no skills in {answer}")).clone()
}

#[test]
fn every_file_of_a_skill_is_what_its_digest_says() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = home.start_with(&[], protocol);
        client.ok(
            "remember_procedure",
            json!({"name": "greet", "steps": ["Do it"], "description": "Greets.", "code": CODE}),
        );
        let [skill] = &skills(&mut client)[..] else { panic!("not one skill") };
        assert_eq!(skill["frontmatter"]["name"], json!("greet"), "{skill}");
        assert_eq!(skill["frontmatter"]["description"], json!("Greets."));
        assert_eq!(skill["frontmatter"]["metadata"]["repertoire-version"], json!("1"), "a text in quotes stays one");
        let files = skill["resources"].as_array().unwrap();
        assert_eq!(files.len(), 2, "{skill}");
        for file in files {
            let read = client.request("resources/read", json!({"uri": file["uri"]}))["result"]["contents"][0].clone();
            let content = text(&read, "text");
            assert_eq!(file["size"], json!(content.len()), "{file}");
            let digest: String = Sha256::digest(content.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(file["digest"], json!(format!("sha256:{digest}")), "{file}");
        }
        let got = client.request("skills/get", json!({"uri": skill["uri"]}))["result"]["skill"].clone();
        assert_eq!(got, *skill);
        let uri = text(skill, "uri").trim_end_matches("/SKILL.md").to_owned();
        let children = client.request("resources/directory/read", json!({"uri": uri}))["result"]["resources"].clone();
        let children: Vec<(&str, &str)> =
            children.as_array().unwrap().iter().map(|child| (text(child, "name"), text(child, "mimeType"))).collect();
        assert_eq!(children, [("SKILL.md", "text/markdown"), ("scripts", "inode/directory")]);
        let scripts = client.request("resources/directory/read", json!({"uri": format!("{uri}/scripts")}));
        assert_eq!(scripts["result"]["resources"][0]["name"], json!("greet.py"), "{scripts}");
    }
}

#[test]
fn only_what_is_in_use_and_may_be_seen_is_a_skill() {
    let home = Home::new();
    let mut ada = RawClient::spawn(home.command(&["--user", "ada", "--no-starters", "serve"]));
    ada.open(Protocol::V2026);
    let mut bob = RawClient::spawn(home.command(&["--user", "bob", "--no-starters", "serve"]));
    bob.open(Protocol::V2026);
    remember(&mut ada, "mine", CODE);
    ada.ok("remember_procedure", json!({"name": "shared", "steps": ["Do it"], "is_shared": true}));
    ada.ok("remember_procedure", json!({"name": "off", "steps": ["Do it"], "enabled": false}));
    ada.ok("remember_procedure", json!({"name": "proposed", "steps": ["Do it"], "status": "candidate"}));
    let names = |skills: &[Value]| -> Vec<String> {
        skills.iter().map(|skill| text(&skill["frontmatter"], "name").to_owned()).collect()
    };
    let seen = skills(&mut ada);
    assert_eq!(names(&seen), ["shared", "mine"]);
    assert_eq!(names(&skills(&mut bob)), ["shared"]);
    let uri = &seen[1]["uri"];
    assert!(bob.request("skills/get", json!({"uri": uri}))["error"].is_object(), "not there");
    assert!(bob.request("resources/read", json!({"uri": uri}))["error"].is_object(), "not there");
    for wrong in
        ["skill://repertoire/99/mine/SKILL.md", "skill://other/SKILL.md", "skill://repertoire/1/other/SKILL.md"]
    {
        let answer = ada.request("skills/get", json!({"uri": wrong}));
        assert_eq!(answer["error"]["code"], json!(-32602), "{wrong}: {answer}");
    }
}
