//! Where the system refuses namespaces: what holds then that a namespace holds elsewhere, what works, and what is said.

use std::{
    fs,
    process::{Command, Output},
};

use Layer::{Calls, Landlock};
use repertoire::confinement::Layer;
use serde_json::{Value, json};

use super::{
    attacks::{attack, make_alone},
    yard::PYTHON,
};
use crate::common::{Home, Protocol, RawClient, clean, execute_code, text, toml_path, walls::refusing_namespaces};

fn start(home: &Home) -> Option<RawClient> {
    let mut client = RawClient::spawn(refusing_namespaces(&home.command(&["--no-starters", "serve"]))?);
    client.open(Protocol::V2025);
    Some(client)
}

fn cli(home: &Home, arguments: &[&str]) -> Option<Output> {
    Some(refusing_namespaces(&home.command(arguments))?.output().unwrap())
}

#[test]
fn what_others_share_is_out_of_reach() {
    make_alone(&[
        attack(
            "limits of the server",
            &[Calls],
            "
import resource
resource.prlimit({S}, resource.RLIMIT_CORE, resource.prlimit(0, resource.RLIMIT_CORE))
escaped()
",
        ),
        attack("processors of the server", &[Calls], "os.sched_setaffinity({S}, os.sched_getaffinity(0)); escaped()"),
        attack(
            "what others do in their folders",
            &[Calls],
            "
if libc.inotify_add_watch(libc.inotify_init(), os.fsencode('{O}'), 0x100) >= 0:
    escaped()
",
        ),
        attack(
            "a message for a socket by one of a pair",
            &[Calls],
            "
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.sendto(b'x', '{D}/log.sock')
escaped()
",
        ),
        attack(
            "emptied by being read",
            &[Calls, Landlock],
            "
os.open('{R}/given.txt', os.O_RDONLY | os.O_TRUNC)
if not os.stat('{R}/given.txt').st_size:
    escaped()
",
        ),
        attack(
            "memory that all see as files",
            &[Landlock],
            "
name = f'/dev/shm/repertoire-{os.getpid()}'
os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
os.unlink(name)
escaped()
",
        ),
        attack("a terminal", &[Landlock], "os.open('/dev/ptmx', os.O_RDWR); escaped()"),
        attack(
            "a file that is executed as its owner",
            &[Calls],
            "
made = os.open('{W}/set', os.O_CREAT | os.O_WRONLY, 0o4755)
if os.fstat(made).st_mode & 0o4000:
    escaped()
",
        ),
        attack(
            "made so later",
            &[Calls],
            "
made = os.open('{W}/set', os.O_CREAT | os.O_WRONLY, 0o755)
os.fchmod(made, 0o4755)
escaped()
",
        ),
        attack("notes at a file", &[Calls], "os.setxattr('{O}', 'user.x', b'x'); escaped()"),
        attack(
            "the private folder of its own walls",
            &[Landlock],
            "
above = os.path.dirname(os.environ['TMPDIR'])
print('ESCAPED', os.listdir(above), open(above + '/bounds.json').read())
",
        ),
    ]);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn what_has_no_file_is_not_shared() {
    make_alone(&[
        attack("shared memory", &[Calls], "call(29, 0, 4096, 0o600)"),
        attack("semaphores", &[Calls], "call(64, 0, 1, 0o600)"),
        attack("messages", &[Calls], "call(68, 0, 0o600)"),
        attack("queues", &[Calls], "call(240, b'repertoire-none', 0)"),
    ]);
}

const CODE: &str = "from repertoire import run_command\n\ndef work(command: list, folder: str) -> dict:\n    \"\"\"Work.\"\"\"\n    \
                    done = run_command(command, cwd=folder, check=False, timeout=60.0)\n    \
                    return {'code': done.exit_code, 'stdout': done.stdout, 'stderr': done.stderr}\n";

#[test]
fn everyday_programs_work() {
    let home = Home::new();
    let folder = home.beside("work");
    home.configure(&format!("[policy]\ncommands = ['git', 'sh', '{PYTHON}']\nwrite = [{}]\n", toml_path(&folder)));
    let Some(mut client) = start(&home) else { return };
    for arguments in
        [&["init", "-q", "-b", "main"][..], &["config", "user.name", "Ada"], &["config", "user.email", "a@example.org"]]
    {
        let mut git = clean(Command::new("git"));
        git.current_dir(&folder).env("HOME", home.beside("nobody")).args(arguments);
        assert!(git.output().unwrap().status.success());
    }
    fs::write(folder.join("a.txt"), "one\n").unwrap();
    crate::common::remember(&mut client, "work", CODE);
    let mut ok = |command: &[&str]| -> String {
        let parameters = json!({"command": command, "folder": folder});
        let answer = client.call("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}));
        assert_eq!(answer["result"]["code"], json!(0), "{command:?}: {answer}");
        let output = text(&answer, "output");
        assert_eq!(output.matches("walls without namespaces").count(), 1, "{output}");
        text(&answer["result"], "stdout").to_owned()
    };
    ok(&["git", "add", "-A"]);
    ok(&["git", "commit", "-q", "-m", "One"]);
    assert_eq!(ok(&["git", "log", "--format=%an %s"]), "Ada One\n");
    ok(&["git", "switch", "-q", "-c", "other"]);
    ok(&["git", "gc", "-q"]);
    ok(&[
        "sh",
        "-c",
        "cat a.txt | sort > b.txt && cp b.txt c.txt && mkdir d && mv c.txt d && rm -r d && ls > /dev/null",
    ]);
    ok(&["sh", "-c", "test \"$(cat \"$TMPDIR\"/x 2>/dev/null)\" = '' && echo x > \"$TMPDIR/x\" && sleep 0.01 & wait"]);
    ok(&[
        PYTHON,
        "-c",
        "import subprocess, tempfile, threading, asyncio\n\
         subprocess.run(['true'], check=True)\n\
         tempfile.TemporaryFile().write(b'x')\n\
         threading.Thread(target=print).start()\n\
         asyncio.run(asyncio.sleep(0))",
    ]);
}

#[test]
fn what_can_not_be_held_is_refused_and_the_rest_is_said() {
    let home = Home::new();
    let (folder, inner) = (home.beside("work"), home.beside("work/keys"));
    fs::write(inner.join("secret"), "s3cr3t").unwrap();
    fs::write(folder.join("plain"), "plain").unwrap();
    home.configure(&format!(
        "[policy]\ncommands = ['cat', 'touch', {{ run = 'curl', network = ['example.org'] }}]\nwrite = [{}]\nask = [\"write:{}\"]\n",
        toml_path(&folder),
        inner.display()
    ));
    let Some(mut client) = start(&home) else { return };
    let mut run = |name: &str, command: &[&str]| -> Value {
        let code = format!(
            "from repertoire import run_command\n\ndef {name}() -> int:\n    \"\"\"Run.\"\"\"\n    return run_command({command:?}, \
             check=False).exit_code\n"
        );
        execute_code(&mut client, name, &code)
    };
    let answer = run("by_name", &["curl", "http://example.org"]);
    assert_eq!(answer["error_type"], json!("PermissionError"), "{answer}");
    assert!(text(&answer, "error").contains("this system refuses namespaces; grant `network"), "{answer}");
    // A folder within a writable one that is only to be read: it stays so.
    let path = |name: &str| folder.join(name).display().to_string();
    assert_eq!(run("reads", &["cat", &path("keys/secret")])["result"], json!(0));
    assert_eq!(run("writes_not", &["touch", &path("keys/new")])["result"], json!(1));
    assert_eq!(run("writes", &["touch", &path("plain")])["result"], json!(0));
    assert!(client.log().contains("without namespaces"), "{}", client.log());

    let doctor = cli(&home, &["doctor"]).unwrap();
    let printed = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(printed.contains("without namespaces, which this system refuses"), "{printed}");
    let line = printed.lines().find(|line| line.contains("an attempt to break each was held by")).unwrap_or_default();
    for wall in ["files", "startup files", "rights of files", "network", "privileges", "system calls", "limits"] {
        assert!(line.contains(wall), "{wall}: {printed}");
    }
}

#[test]
fn python_is_held_as_well() {
    let home = Home::new();
    let outside = home.beside("outside");
    home.configure(&format!("[python]\nenabled = true\nprogram = '{PYTHON}'\n"));
    let Some(mut client) = start(&home) else { return };
    let code = format!(
        "import pathlib\n\nclass Odd(list):\n    pass\n\n\ndef held() -> str:\n    \"\"\"Say what happens.\"\"\"\n    try:\n        \
         pathlib.Path('{}').write_text('x')\n        return 'written'\n    except OSError as error:\n        \
         return type(error).__name__\n",
        outside.join("made").display()
    );
    let answer = execute_code(&mut client, "held", &code);
    assert_eq!(answer["result"], json!("PermissionError"), "{answer}");
    assert!(text(&answer, "output").contains("walls without namespaces"), "{answer}");
    assert!(!outside.join("made").exists());
}
