//! Files of granted folders: how much a run writes, and what it never writes.
#![cfg(unix)]

use std::{fs, os::unix::fs::symlink, path::Path};

use serde_json::{Value, json};

use crate::common::{Home, RawClient, execute_code, remember, text, toml_path};

const MIB: u64 = 1024 * 1024;

/// Executes a body that finds the granted folder under the name `folder`.
#[track_caller]
fn run(client: &mut RawClient, folder: &Path, name: &str, body: &str) -> Value {
    execute_code(client, name, &code(folder, name, body))
}

fn code(folder: &Path, name: &str, body: &str) -> String {
    let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
    let imports = "import os\nfrom pathlib import Path\nfrom repertoire import approve, call_procedure";
    format!("{imports}\n\ndef {name}():\n    folder = Path({:?})\n{lines}", folder.to_str().unwrap())
}

/// A home with a granted folder in it, and settings below the grant.
fn home(settings: &str) -> (Home, std::path::PathBuf) {
    let home = Home::new();
    let folder = home.beside("files").canonicalize().unwrap();
    home.configure(&format!("[policy]\nwrite = [{}]\n{settings}", toml_path(&folder)));
    (home, folder)
}

fn size_of(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn a_run_writes_so_many_bytes_and_no_more() {
    let writing = "with open(folder / 'big', 'ab') as file:\n    for _ in range(40):\n        file.write(b'x' * 65536)\n\
                   return 'all'";
    let (tight, folder) = home("[limits]\nwrite_mib = 1\n");
    let mut client = tight.start();
    let answer = run(&mut client, &folder, "appends", writing);
    assert_eq!(answer["error_type"], json!("OSError"), "{answer}");
    assert!(text(&answer, "error").contains("1 MiB") && text(&answer, "error").contains("`write_mib`"), "{answer}");
    assert_eq!(size_of(&folder), MIB);
    let ways = "big = 'x' * 900_000\n(folder / 'a').write_text(big)\nfailed = []\n\
                for write in [lambda: (folder / 'a').write_text(big), lambda: (folder / 'b').write_bytes(b'x' * 200_000),\n\
                \x20             lambda: open(folder / 'c', 'w').write(big)]:\n    try:\n        write()\n    \
                except OSError as error:\n        failed.append(str(error))\n\
                return [len(failed), len((folder / 'a').read_text())]";
    let answer = run(&mut client, &folder, "otherwise", ways);
    assert_eq!(answer["result"], json!([3, 900_000]), "what is refused leaves the file as it was: {answer}");
    let (wide, folder) = home("");
    let answer = run(&mut wide.start(), &folder, "appends", writing);
    assert_eq!(answer["result"], json!("all"), "{answer}");
    assert!(size_of(&folder) > 2 * MIB);
}

#[test]
fn procedures_that_call_each_other_write_from_one_purse() {
    let (home, folder) = home("[limits]\nwrite_mib = 1\nfile_calls = 30\n");
    let mut client = home.start();
    remember(&mut client, "part", &code(&folder, "part", "(folder / 'part').write_text('x' * 400_000)\nreturn 1"));
    let body = "done = 0\nfor _ in range(3):\n    done += call_procedure('part')\nreturn done";
    let answer = run(&mut client, &folder, "whole", body);
    assert!(text(&answer, "error").contains("`write_mib`"), "{answer}");
    let answer = run(&mut client, &folder, "less", "return call_procedure('part') + call_procedure('part')");
    assert_eq!(answer["result"], json!(2), "{answer}");
    remember(&mut client, "look", &code(&folder, "look", "for _ in range(20):\n    folder.exists()\nreturn 1"));
    let answer = run(&mut client, &folder, "twice", "return call_procedure('look') + call_procedure('look')");
    assert!(text(&answer, "error").contains("file_calls"), "{answer}");
}

#[test]
fn a_pause_and_another_server_do_not_fill_the_purse() {
    let (home, folder) = home("[limits]\nwrite_mib = 1\n");
    let mut client = home.start();
    let body = "(folder / 'a').write_text('x' * 700_000)\napprove('go on?')\n(folder / 'b').write_text('x' * 700_000)";
    let paused = run(&mut client, &folder, "pauses", body);
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    client.kill();
    let mut client = home.start();
    let answer = client.call("resume_run", json!({"run_id": paused["run_id"], "decision": "approve"}));
    assert!(text(&answer, "error").contains("`write_mib`"), "{answer}");
    assert_eq!(size_of(&folder), 700_000);
}

/// Ways to come to what other programs execute. `evil` is a file and `stuff` a folder with `config` and `workflows`, both of
/// the procedure's own making; the links were there before.
const WAYS: &[&str] = &[
    "(folder / '.git' / 'config').write_text('evil')",
    "(folder / '.git' / 'config').write_bytes(b'evil')",
    "open(folder / '.git' / 'config', 'w').close()",
    "open(folder / '.git' / 'config', 'a').write('evil')",
    "open(folder / '.git' / 'config', 'wb').write(b'evil')",
    "(folder / '.git' / 'hooks' / 'pre-commit').write_text('evil')",
    "(folder / '.git' / 'config').unlink()",
    "os.remove(folder / '.git' / 'config')",
    "os.rename(folder / '.git', folder / 'moved')",
    "(folder / 'evil').rename(folder / '.git' / 'config')",
    "os.replace(folder / 'evil', folder / '.git' / 'config')",
    "os.mkdir(folder / '.git' / 'hooks2')",
    "os.makedirs(folder / 'sub' / '.git' / 'hooks')",
    "(folder / 'sub').mkdir()\n(folder / 'sub' / '.git').write_text('gitdir: ../stuff')",
    "os.rename(folder / 'stuff', folder / 'nested.git')",
    "os.rename(folder / 'stuff', folder / '.git2')\nos.rename(folder / '.git2', folder / '.GIT')",
    "(folder / '.GIT' / 'config').write_text('evil')",
    "(folder / '.git.' / 'config').write_text('evil')",
    "os.mkdir(folder / '.git ')",
    "os.mkdir(folder / 'git~1')",
    "os.mkdir(folder / '.g\\u200cit')",
    "(folder / 'sub' / '..' / '.git' / 'config').write_text('evil')",
    "(folder / 'link' / 'config').write_text('evil')",
    "(folder / 'link' / 'hooks' / 'post-commit').write_text('evil')",
    "(folder / 'link' / 'config').unlink()",
    "(folder / 'evil').rename(folder / 'link' / 'config')",
    "(folder / 'file-link').write_text('evil')",
    "open(folder / 'file-link', 'a').write('evil')",
    "(folder / 'dangling').write_text('evil')",
    "(folder / 'store' / 'config').write_text('evil')",
    "(folder / 'store' / 'hooks').mkdir()",
    "(folder / 'stuff' / 'HEAD').write_text('ref: refs/heads/main')",
    "(folder / 'evil').rename(folder / 'stuff' / 'HEAD')",
    "(folder / '.envrc').write_text('evil')",
    "(folder / '.ENVRC').write_text('evil')",
    "(folder / 'evil').rename(folder / '.envrc')",
    "os.mkdir(folder / '.vscode')",
    "os.rename(folder / 'stuff', folder / '.vscode')",
    "os.makedirs(folder / '.claude' / 'commands')",
    "(folder / '.mcp.json').write_text('{}')",
    "(folder / '.bashrc').write_text('evil')",
    "(folder / '.npmrc').write_text('evil')",
    "os.makedirs(folder / '.github' / 'workflows')",
    "os.rename(folder / 'stuff', folder / '.github')",
    "os.makedirs(folder / '.husky')",
];

/// A folder with what a repository has, and links to it.
fn prepare(folder: &Path) {
    for made in [".git/hooks", ".git/objects", "store/objects", "store/refs"] {
        fs::create_dir_all(folder.join(made)).unwrap();
    }
    fs::write(folder.join(".git/config"), "[core]\n").unwrap();
    fs::write(folder.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    fs::write(folder.join("store/HEAD"), "ref: refs/heads/main\n").unwrap();
    symlink(".git", folder.join("link")).unwrap();
    symlink(".git/config", folder.join("file-link")).unwrap();
    symlink(".envrc", folder.join("dangling")).unwrap();
}

/// Every path in a folder with what it holds or leads to.
fn picture(folder: &Path) -> Vec<String> {
    let mut seen = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_symlink() {
            seen.push(format!("{} -> {}", path.display(), fs::read_link(&path).unwrap().display()));
        } else if path.is_dir() {
            seen.push(path.display().to_string());
            seen.extend(picture(&path));
        } else {
            seen.push(format!("{}: {}", path.display(), fs::read_to_string(&path).unwrap()));
        }
    }
    seen.sort();
    seen
}

/// One procedure that goes every way, each in a folder that is as it was before, and says which were refused.
fn go_every_way(client: &mut RawClient, folder: &Path) -> Vec<bool> {
    let make = "(folder / 'evil').write_text('evil')\nos.makedirs(folder / 'stuff' / 'workflows', exist_ok=True)\n\
                (folder / 'stuff' / 'config').write_text('evil')";
    let mut refused = Vec::new();
    for (index, way) in WAYS.iter().enumerate() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        prepare(folder);
        let indented = way.replace('\n', "\n    ");
        let body = format!("{make}\ntry:\n    {indented}\nexcept PermissionError as error:\n    return str(error)");
        let answer = run(client, folder, &format!("way_{index}"), &body);
        assert_eq!(answer["success"], json!(true), "{way}: {answer}");
        let said = answer["result"].as_str().unwrap_or_default();
        assert!(said.is_empty() || said.contains("other programs execute"), "{way}: {said}");
        refused.push(!said.is_empty());
    }
    refused
}

#[test]
fn what_other_programs_execute_is_not_written_whichever_way() {
    let (home, folder) = home("");
    let mut client = home.start();
    let refused = go_every_way(&mut client, &folder);
    let through: Vec<&&str> = WAYS.iter().zip(&refused).filter(|(_, refused)| !**refused).map(|(way, _)| way).collect();
    assert!(through.is_empty(), "{through:#?}");
    let left = picture(&folder).join("\n");
    assert!(left.contains(".git/config: [core]") && !left.contains(".git/config: evil"), "{left}");
}

/// The same ways, where the user granted what is closed by name: they lead somewhere, so that the refusals mean something.
#[test]
fn a_grant_that_names_it_opens_what_other_programs_execute() {
    let home = Home::new();
    let folder = home.beside("files").canonicalize().unwrap();
    let closed = [".git", ".GIT", ".git.", ".vscode", ".claude", ".github/workflows", ".husky", "store"];
    for name in closed {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let grants: Vec<String> = closed.iter().map(|name| toml_path(&folder.join(name))).collect();
    home.configure(&format!("[policy]\nwrite = [{}, {}]\n", toml_path(&folder), grants.join(", ")));
    let mut client = home.start();
    let body = "(folder / '.git' / 'config').write_text('mine')\n(folder / '.vscode' / 'tasks.json').write_text('mine')\n\
                (folder / '.claude' / 'commands').mkdir()\n(folder / '.github' / 'workflows' / 'ci.yml').write_text('mine')\n\
                (folder / 'other.txt').write_text('mine')";
    let answer = run(&mut client, &folder, "granted", body);
    assert_eq!(answer["success"], json!(true), "{answer}");
    assert_eq!(fs::read_to_string(folder.join(".git/config")).unwrap(), "mine");
    let answer = run(&mut client, &folder, "not_granted", "(folder / '.idea').mkdir()");
    assert!(text(&answer, "error").contains("`.idea`"), "{answer}");
    // What a procedure declares is no grant of the user.
    let narrow = Home::new();
    narrow.configure(&format!("[policy]\nwrite = [{}]\n", toml_path(&folder)));
    let mut client = narrow.start();
    let declares = json!({"name": "declares", "steps": ["x"], "permissions": {"write": [folder.join(".git")]},
        "code": code(&folder, "declares", "(folder / '.git' / 'config').write_text('evil')")});
    client.ok("remember_procedure", declares);
    let answer = client.call("execute_procedure", json!({"procedure_id": "declares"}));
    assert_eq!(answer["error_type"], json!("PermissionError"), "{answer}");
    assert_eq!(fs::read_to_string(folder.join(".git/config")).unwrap(), "mine");
}

#[test]
fn files_are_changed_as_python_changes_them() {
    let (home, folder) = home("");
    symlink("target", folder.join("link")).unwrap();
    let outside = home.beside("outside");
    symlink(&outside, folder.join("out")).unwrap();
    let mut client = home.start();
    let body = "said = []\n\
        def attempt(change):\n    try:\n        said.append(change())\n    except OSError as error:\n        \
        said.append(type(error).__name__ + ' ' + str(error).replace(str(folder), ''))\n\
        attempt(lambda: (folder / 'a').write_text('größer'))\n\
        attempt(lambda: (folder / 'b').write_bytes(b'12345'))\n\
        with open(folder / 'a', 'a') as file:\n    said.append(file.write('!'))\n\
        with open(folder / 'a') as file:\n    said.append(file.read())\n\
        attempt(lambda: (folder / 'x' / 'y').mkdir())\n\
        attempt(lambda: (folder / 'x' / 'y').mkdir(parents=True))\n\
        attempt(lambda: (folder / 'x' / 'y').mkdir())\n\
        attempt(lambda: (folder / 'x' / 'y').mkdir(exist_ok=True))\n\
        attempt(lambda: (folder / 'a').mkdir(exist_ok=True))\n\
        attempt(lambda: (folder / 'x').write_text('no'))\n\
        attempt(lambda: (folder / 'missing' / 'c').write_text('no'))\n\
        attempt(lambda: (folder / 'missing').unlink())\n\
        attempt(lambda: (folder / 'x').rmdir())\n\
        attempt(lambda: str((folder / 'b').rename(folder / 'x' / 'c')).replace(str(folder), ''))\n\
        attempt(lambda: (folder / 'x' / 'c').unlink())\n\
        attempt(lambda: (folder / 'x' / 'y').rmdir())\n\
        attempt(lambda: (folder / 'link').write_text('through'))\n\
        attempt(lambda: (folder / 'target').read_text())\n\
        attempt(lambda: (folder / 'out' / 'd').write_text('no'))\n\
        attempt(lambda: folder.rmdir())\n\
        attempt(lambda: folder.mkdir(exist_ok=True))\n\
        attempt(lambda: (folder / ('n' * 300)).write_text('no'))\n\
        return said";
    let answer = run(&mut client, &folder, "changes", body);
    let wanted = json!([
        6,
        5,
        1,
        "größer!",
        "FileNotFoundError [Errno 2] No such file or directory: '/x/y'",
        null,
        "FileExistsError [Errno 17] File exists: '/x/y'",
        null,
        "FileExistsError [Errno 17] File exists: '/a'",
        "IsADirectoryError [Errno 21] Is a directory: '/x'",
        "FileNotFoundError [Errno 2] No such file or directory: '/missing/c'",
        "FileNotFoundError [Errno 2] No such file or directory: '/missing'",
        "OSError [Errno 39] Directory not empty: '/x'",
        "/x/c",
        null,
        null,
        7,
        "through",
        "PermissionError [Errno 13] Permission denied: '/out/d'",
        "PermissionError [Errno 13] Permission denied: ''",
        null,
        format!("OSError [Errno 36] File name too long: '/{}'", "n".repeat(300)),
    ]);
    assert_eq!(answer["result"], wanted, "{answer}");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}
