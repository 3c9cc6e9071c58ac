//! The stage that builds walls, called without a server, so that some of them can be left out.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

use repertoire::confinement::{Bounds, Layer};

use super::{PROGRAM, clean};

/// Whether ordinary walls can be had here at all; says so where not.
pub fn has_walls() -> bool {
    static HAS: LazyLock<bool> = LazyLock::new(|| {
        let output = run(&Bounds::default(), &[], &["true"], |_| {});
        if !output.status.success() {
            eprintln!("no walls can be had here: {output:?}");
        }
        output.status.success()
    });
    *HAS
}

/// The same command where the system refuses namespaces, as many do: in one that may have no others in it. `None` where none
/// can be had for that.
pub fn refusing_namespaces(command: &Command) -> Option<Command> {
    const REFUSE: &str = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"";
    static CAN: LazyLock<bool> = LazyLock::new(|| {
        let output =
            Command::new("unshare").args(["-Ur", "sh", "-c", REFUSE, "sh", "-c", "! unshare -U true"]).output();
        let can = output.is_ok_and(|output| output.status.success());
        if !can {
            eprintln!("namespaces can't be refused here");
        }
        can
    });
    if !*CAN {
        return None;
    }
    let mut refused = Command::new("unshare");
    refused.args(["-Ur", "sh", "-c", REFUSE]).arg(command.get_program()).args(command.get_args()).env_clear();
    refused.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = command.get_current_dir() {
        refused.current_dir(directory);
    }
    Some(refused)
}

/// Executes a command within bounds, but for the walls that are left out.
pub fn run(bounds: &Bounds, without: &[Layer], command: &[&str], prepare: impl FnOnce(&mut Command)) -> Output {
    let bounds = Bounds { without: without.iter().copied().collect::<BTreeSet<_>>(), ..bounds.clone() };
    let private = tempfile::Builder::new().prefix("repertoire-").tempdir().unwrap();
    let folder = fs::canonicalize(private.path()).unwrap();
    fs::write(folder.join("bounds.json"), serde_json::to_vec(&bounds).unwrap()).unwrap();
    fs::create_dir(folder.join("tmp")).unwrap();
    fs::create_dir(folder.join("root")).unwrap();
    let mut process = clean(Command::new(PROGRAM));
    process.arg("launch-confined").arg(std::process::id().to_string()).arg(&folder).args(command);
    process.stdin(Stdio::null());
    prepare(&mut process);
    let mut output = process.output().unwrap();
    let ended = fs::read(folder.join("ended.json")).unwrap_or_default();
    output.stderr.extend(ended);
    output
}
