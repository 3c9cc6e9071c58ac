//! Limits: time, memory, output, the journal; and a process that is lost.

use serde_json::json;

use super::{execute, has_python, home};
use crate::common::text;

#[test]
fn what_never_ends_is_stopped() {
    if !has_python() {
        return;
    }
    let home = home("[limits]\nseconds = 3\n");
    let mut client = home.start();
    let answer = execute(
        &mut client,
        "endless",
        "def endless():\n    print('begun', flush=True)\n    while True:\n        pass\n",
    );
    assert_eq!(answer["error_type"], json!("TimeoutError"), "{answer}");
    assert!(text(&answer, "error").contains("`seconds` under [limits]"), "{answer}");
    assert_eq!(text(&answer, "output"), "begun\n");
    // The next is not touched by that.
    assert_eq!(execute(&mut client, "quick", "def quick():\n    return 1\n")["result"], json!(1));
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_limited() {
    if !has_python() {
        return;
    }
    let home = home("memory_mib = 128\n");
    let mut client = home.start();
    let answer = execute(&mut client, "large", "def large():\n    return len(bytearray(200_000_000))\n");
    assert_eq!(answer["error_type"], json!("MemoryError"), "{answer}");
    assert!(text(&answer, "error").contains("`memory_mib` = 128 under [python]"), "{answer}");
    let answer = execute(&mut client, "small", "def small():\n    return len(bytearray(20_000_000))\n");
    assert_eq!(answer["result"], json!(20_000_000), "{answer}");
}

#[test]
#[cfg(unix)]
fn files_are_limited() {
    if !has_python() {
        return;
    }
    let home = home("file_mib = 1\n");
    let mut client = home.start();
    let code = "import tempfile\n\n\ndef long(size: int) -> int:\n    with tempfile.TemporaryFile() as file:\n        return file.write(b'x' * size)\n";
    super::remember(&mut client, "long", code);
    let mut with =
        |size: u64| client.call("execute_procedure", json!({"procedure_id": "long", "parameters": {"size": size}}));
    assert_eq!(with(1 << 20)["result"], json!(1 << 20));
    let answer = with((1 << 20) + 1);
    assert_eq!(answer["error_type"], json!("OSError"), "{answer}");
}

/// Writes parts of a mebibyte: itself, or by programs that it starts.
const PARTS: &str = r#"
import subprocess
import sys
from repertoire import approve

PROGRAM = "import sys; open(sys.argv[1], 'wb').write(b'x' * (1 << 20))"


def parts(folder: str, count: int, by: str) -> int:
    """Write so many parts, each a file of its own."""
    for number in range(count):
        path = f"{folder}/part{number}"
        if by == "programs":
            subprocess.run([sys.executable, "-S", "-c", PROGRAM, path], check=True)
        elif number == 3 and by == "approved":
            approve("Go on?")
        else:
            with open(path, "wb") as file:
                file.write(b"x" * (1 << 20))
    return count
"#;

#[test]
#[cfg(target_os = "linux")]
fn what_a_run_writes_is_limited_in_all() {
    if !has_python() {
        return;
    }
    let home = home("");
    let folder = home.beside("work");
    home.configure(&format!(
        "[python]\nenabled = true\nfile_mib = 2\n[limits]\nwrite_mib = 8\n[policy]\nwrite = [{}]\n",
        crate::common::toml_path(&folder)
    ));
    let mut client = home.start();
    super::remember(&mut client, "parts", PARTS);
    let mut with = |count: u32, by: &str| {
        let parameters = json!({"folder": folder, "count": count, "by": by});
        client.call("execute_procedure", json!({"procedure_id": "parts", "parameters": parameters}))
    };
    for by in ["itself", "programs"] {
        let answer = with(6, by);
        assert_eq!(answer["result"], json!(6), "{answer}");
        let answer = with(40, by);
        assert_eq!(answer["error_type"], json!("OSError"), "{by}: {answer}");
        let error = text(&answer, "error");
        assert!(error.contains("[Errno 28] the run may write 8 MiB to files"), "{by}: {answer}");
        assert!(error.contains("`write_mib` under [limits]"), "{by}: {answer}");
    }
    // Over a pause it is the same run, and what is executed again is written again.
    let paused = with(8, "approved");
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    let ended = client.call("resume_run", json!({"run_id": paused["run_id"], "decision": "approve"}));
    assert_eq!(ended["error_type"], json!("OSError"), "{ended}");
}

#[test]
fn output_is_limited() {
    if !has_python() {
        return;
    }
    let home = home("[limits]\noutput_kib = 4\n");
    let mut client = home.start();
    let answer = execute(&mut client, "talk", "def talk():\n    for _ in range(100_000):\n        print('x' * 100)\n");
    assert_eq!(answer["error_type"], json!("OutputLimit"), "{answer}");
    assert!(text(&answer, "output").len() <= 4096, "{answer}");
}

#[test]
fn a_process_that_ends_under_the_code_is_said_to() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let answer = execute(&mut client, "gone", "import os\n\n\ndef gone():\n    os._exit(3)\n");
    assert_eq!(answer["outcome"], json!("failure"), "{answer}");
    assert!(text(&answer, "error").contains("ended unexpectedly"), "{answer}");
}

#[test]
fn host_calls_are_limited_as_in_the_sandbox() {
    if !has_python() {
        return;
    }
    let home = home("[limits]\nhost_calls = 3\n");
    let mut client = home.start();
    let code = "from repertoire import log\n\n\ndef chatty():\n    for number in range(9):\n        log(str(number))\n";
    let answer = execute(&mut client, "chatty", code);
    assert_eq!(answer["error_type"], json!("HostCallLimit"), "{answer}");
}
