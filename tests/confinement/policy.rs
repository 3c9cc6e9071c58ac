//! What the policy says of walls, and what is said of them.

use std::fs;

use repertoire::confinement::Layer;
use serde_json::json;

use super::yard::Yard;
use crate::common::{Home, execute_code, text, toml_path, walls::has_walls};

#[test]
fn a_grant_may_have_bounds_of_its_own() {
    if !has_walls() {
        return;
    }
    let home = Home::new();
    let (more, other) = (home.beside("more"), home.beside("other"));
    fs::write(other.join("a.txt"), "other").unwrap();
    home.configure(&format!(
        "[policy]\ncommands = ['touch', {{ run = 'touch -c', write = [{}] }}, {{ run = 'cat', read = [{}] }}, 'head']\n",
        toml_path(&more),
        toml_path(&other)
    ));
    fs::write(more.join("a"), "").unwrap();
    let mut client = home.start();
    let mut run = |name: &str, command: &str| {
        let code = format!(
            "from repertoire import run_command\n\ndef {name}() -> int:\n    \"\"\"Run.\"\"\"\n    return run_command({command}, \
             check=False).exit_code\n"
        );
        execute_code(&mut client, name, &code)
    };
    let (inside, file) = (more.join("a").display().to_string(), other.join("a.txt").display().to_string());
    assert_eq!(run("plain", &format!("['touch', '{inside}']"))["result"], json!(1));
    assert_eq!(run("granted", &format!("['touch', '-c', '{inside}']"))["result"], json!(0));
    assert_eq!(run("reads", &format!("['cat', '{file}']"))["result"], json!(0));
    assert_eq!(run("reads_not", &format!("['head', '{file}']"))["result"], json!(1));
}

#[test]
fn what_other_programs_execute_is_written_where_the_grant_says_so() {
    if !has_walls() {
        return;
    }
    let home = Home::new();
    let folder = home.beside("work");
    home.configure(&format!(
        "[policy]\ncommands = ['sh', {{ run = 'git init', startup_files = true }}]\nwrite = [{}]\n",
        toml_path(&folder)
    ));
    let mut client = home.start();
    let init = "from repertoire import run_command\n\ndef init():\n    \"\"\"Init.\"\"\"\n    run_command(['git', 'init', '-q'])\n";
    let answer = execute_code(&mut client, "init", init);
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
    assert!(folder.join(".git/config").exists());
    let other = "from repertoire import run_command\n\ndef other():\n    \"\"\"Other.\"\"\"\n    \
                 run_command(['sh', '-c', 'echo x > .envrc'])\n";
    let answer = execute_code(&mut client, "other", other);
    assert_eq!(answer["error_type"], json!("PermissionError"), "{answer}");
    assert!(
        text(&answer, "error").contains(".envrc") && text(&answer, "error").contains("startup_files = true"),
        "{answer}"
    );
    assert!(folder.join(".envrc.set-aside").exists() && !folder.join(".envrc").exists());
}

#[test]
fn without_walls_a_run_says_so() {
    let home = Home::new();
    let outside = home.beside("outside");
    home.configure("[policy]\nconfinement = 'none'\ncommands = ['touch']\n");
    let mut client = home.start();
    let path = outside.join("made");
    let code = format!(
        "from repertoire import run_command\n\ndef make():\n    \"\"\"Make.\"\"\"\n    for _ in range(2):\n        \
         run_command(['touch', '{}'])\n",
        path.display()
    );
    let answer = execute_code(&mut client, "make", &code);
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
    assert!(path.exists());
    let output = text(&answer, "output");
    assert_eq!(output.matches("without walls").count(), 1, "{output}");
    assert!(client.log().contains("without walls"), "{}", client.log());
    let doctor = home.run(&["--no-starters", "doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("is \"none\""), "{doctor:?}");
}

#[test]
fn where_a_wall_can_not_be_built_nothing_is_executed() {
    if !has_walls() {
        return;
    }
    // A writable folder that is gone when the walls are built.
    let yard = Yard::new();
    let output = yard.by_stage(&["true"], &[Layer::User, Layer::Privileges]);
    let is_root = rustix::process::geteuid().is_root();
    assert!(is_root || output.contains("no_wall"), "{output}");
}

#[test]
fn doctor_tries_to_break_every_wall() {
    if !has_walls() {
        return;
    }
    let home = Home::new();
    let doctor = home.run(&["doctor"]);
    let printed = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.status.success(), "{printed}");
    let line = printed.lines().find(|line| line.contains("an attempt to break each was held by")).unwrap_or_default();
    for wall in ["files", "startup files", "processes", "network", "privileges", "system calls", "limits"] {
        assert!(line.contains(wall), "{wall}: {printed}");
    }
}

#[test]
fn a_granted_folder_that_became_a_link_grants_nothing() {
    if !has_walls() {
        return;
    }
    let home = Home::new();
    let (folder, outside) = (home.beside("work"), home.beside("outside"));
    let inner = home.beside("work/inner");
    home.configure(&format!(
        "[policy]\ncommands = ['sh', {{ run = 'touch', write = [{}] }}]\nwrite = [{}]\n",
        toml_path(&inner),
        toml_path(&folder)
    ));
    let mut client = home.start();
    let swap = format!("mv inner old && ln -s '{}' inner", outside.display());
    let code = format!(
        "from repertoire import run_command\n\ndef swap():\n    \"\"\"Swap.\"\"\"\n    run_command(['sh', '-c', {swap:?}])\n    \
         return run_command(['touch', '{}'], check=False).exit_code\n",
        outside.join("made").display()
    );
    let answer = execute_code(&mut client, "swap", &code);
    assert_eq!(answer["result"], json!(1), "{answer}");
    assert!(inner.is_symlink() && !outside.join("made").exists());
}
