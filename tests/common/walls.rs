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
