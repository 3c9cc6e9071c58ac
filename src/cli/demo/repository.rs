//! The git repository that the demo works on, and a look at the one that it leaves.

use std::{fs, path::Path, process::Stdio};

use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature, Sort};

use crate::cli::error::CliError;

const COMMITS: [(&str, &str, &str); 5] = [
    ("src/station.py", "def read(): ...\n", "feat: read the outdoor sensor every minute"),
    ("README.md", "# Weather station\n", "docs: say how to wire the sensor"),
    ("src/station.py", "def read(): return 21.5\n", "fix: don't report a missing sensor as 0 °C"),
    ("src/alarm.py", "def alarm(): ...\n", "feat(alarm): warn before frost"),
    ("src/alarm.py", "def alarm(): return True\n", "fix(alarm): stay quiet at night"),
];

fn git_error(error: &git2::Error) -> CliError {
    CliError::Other(format!("the demo's git repository: {}", error.message()))
}

/// A small project with five commits and an uncommitted change.
pub fn create(folder: &Path) -> Result<(), CliError> {
    commit_all(folder).map_err(|error| git_error(&error))?;
    let written = fs::write(folder.join("src/station.py"), "def read(): return 22.0\n\n\ndef unit(): return '°C'\n")
        .and_then(|()| fs::write(folder.join("notes.txt"), "buy a longer cable\n"));
    written.map_err(CliError::io("the demo's project can't be written"))
}

fn commit_all(folder: &Path) -> Result<(), git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.mkpath(true).initial_head("main").external_template(false);
    let repo = Repository::init_opts(folder, &options)?;
    repo.config()?.set_bool("core.logAllRefUpdates", true)?;
    let author = Signature::now("Maria", "maria@example.org")?;
    for (file, content, subject) in COMMITS {
        let path = folder.join(file);
        let folder_of_file = path.parent().unwrap_or(folder);
        let io = |error: std::io::Error| git2::Error::from_str(&error.to_string());
        fs::create_dir_all(folder_of_file).map_err(io)?;
        fs::write(&path, content).map_err(io)?;
        let mut index = repo.index()?;
        index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
        index.write()?;
        let tree = repo.find_tree(index.write_tree()?)?;
        let parent = repo.head().ok().map(|head| head.peel_to_commit()).transpose()?;
        let parents: Vec<_> = parent.iter().collect();
        repo.commit(Some("HEAD"), &author, &author, subject, &tree, &parents)?;
    }
    Ok(())
}

/// The latest commits of a repository, newest first.
pub fn subjects(repository: &Path) -> Result<Vec<String>, CliError> {
    read_subjects(repository).map_err(|error| git_error(&error))
}

fn read_subjects(repository: &Path) -> Result<Vec<String>, git2::Error> {
    let repo = Repository::open_bare(repository)?;
    let mut walk = repo.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL)?;
    walk.push_head()?;
    walk.map(|id| {
        let commit = repo.find_commit(id?)?;
        let id: String = commit.id().to_string().chars().take(8).collect();
        Ok(format!("{id} {}", String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default())))
    })
    .collect()
}

/// Whether the git program can be called. The server itself does not need it.
pub fn git_is_installed() -> bool {
    let version =
        std::process::Command::new("git").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}
