//! Agent Skills as procedures. The text of a skill is one, with all of its files; each script that can be called is another,
//! named for both.

mod beside;
mod packages;
mod script;

use std::{
    collections::BTreeSet,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::{ambient_authority, fs::Dir};

use super::incoming::{Content, Incoming, Item};
use crate::{
    domain::{
        ProcedureName,
        name::MAX_NAME_CHARS,
        skill_file::{self, SkillFile},
        step::Step,
    },
    library::{DefinitionPatch, LibraryError},
    versions::{Attached, Bundle},
};

/// The category of what comes from skills.
const CATEGORY: &str = "skills";
/// How deep skills are looked for, and how deep their folders go.
const MOST_DEPTH: usize = 12;
/// The most files of a skill.
const MOST_FILES: usize = 2000;
/// The most bytes of one file, and of all.
const MOST_FILE_BYTES: u64 = 8 << 20;
const MOST_BYTES: u64 = 32 << 20;
/// The longest text that a definition keeps of a skill; all of it is in its file.
const MOST_GUIDANCE_CHARS: usize = 20_000;
/// Folders in which nobody keeps skills of their own.
const PASSED_OVER: [&str; 5] = [".git", "node_modules", "target", "__pycache__", ".venv"];

/// The folders in and below `path` that are skills, sorted. None where there is none.
pub fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    look(path, MOST_DEPTH, &mut found);
    found.sort();
    found
}

fn look(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let entries: Vec<_> = entries.flatten().collect();
    if entries.iter().any(|entry| entry.file_name().to_str().is_some_and(is_skill_file)) {
        found.push(folder.to_owned());
        return;
    }
    for entry in entries {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_passed_over = entry.file_name().to_str().is_some_and(|name| PASSED_OVER.contains(&name));
        if is_folder && !is_passed_over && depth > 0 {
            look(&entry.path(), depth - 1, found);
        }
    }
}

fn is_skill_file(name: &str) -> bool {
    name.eq_ignore_ascii_case(skill_file::FILE_NAME)
}

/// The procedures that the skill in `folder` is.
pub fn items(folder: &Path) -> Vec<Item> {
    let origin = folder.join(skill_file::FILE_NAME).display().to_string();
    let (files, passed_over) = match read(folder) {
        Ok(read) => read,
        Err(why) => return vec![Item { origin, found: Err(LibraryError::invalid(why)) }],
    };
    match skill(folder, files, passed_over) {
        Ok((incoming, bundle)) => {
            let skill = incoming.name.clone();
            let mut items = vec![Item { origin, found: Ok(incoming) }];
            items.extend(scripts(&skill, folder, &bundle));
            items
        }
        Err(error) => vec![Item { origin, found: Err(error) }],
    }
}

fn skill(
    folder: &Path,
    files: Vec<Attached>,
    passed_over: Vec<String>,
) -> Result<(Incoming, Arc<Bundle>), LibraryError> {
    let bundle = Arc::new(Bundle::new(files).map_err(LibraryError::invalid)?);
    let fields = fields_of(&bundle, &folder_name(folder))?;
    let Read { name, patch, mended } = fields;
    let remarks = mended.into_iter().map(|line| format!("line {line} is no YAML and was read as a text"));
    let incoming = Incoming {
        name,
        content: Content::Fields(Box::new(patch)),
        code: None,
        lock: None,
        dependencies: None,
        left_out: passed_over.into_iter().chain(remarks).collect(),
        files: Some(Arc::clone(&bundle)),
        is_proposed: true,
        is_script: false,
    };
    Ok((incoming, bundle))
}

/// What is read of a skill's own file.
pub struct Read {
    pub name: String,
    pub patch: DefinitionPatch,
    /// The lines of it that had to be read otherwise than they are written.
    pub mended: Vec<usize>,
}

/// The skill in these files, which is called `otherwise` where it does not say its name.
///
/// # Errors
/// [`LibraryError::Argument`] with the line that is wrong.
pub fn fields_of(bundle: &Bundle, otherwise: &str) -> Result<Read, LibraryError> {
    let file = own_file(bundle).ok_or_else(|| LibraryError::invalid("it has no file `SKILL.md`"))?;
    let text = std::str::from_utf8(&file.bytes).map_err(|error| {
        let line = 1 + memchr::memchr_iter(b'\n', &file.bytes[..error.valid_up_to()]).count();
        LibraryError::invalid_with_hint(format!("line {line}: it is not UTF-8"), "save it as UTF-8")
    })?;
    let wrong = |fault: skill_file::Fault| LibraryError::invalid(fault.to_string());
    let SkillFile { front, body } = SkillFile::read(text).map_err(wrong)?;
    let name = front.text("name").map_err(wrong)?.unwrap_or(otherwise);
    let description = front.text("description").map_err(wrong)?.map(str::to_owned);
    let description = description.or_else(|| skill_file::first_paragraph(body)).ok_or_else(|| {
        LibraryError::invalid_with_hint(
            "line 1: it has neither a description nor a text",
            "begin it with `---`, `name: …`, `description: …`, `---`, and say below what to do",
        )
    })?;
    let name =
        short_name(name).ok_or_else(|| LibraryError::invalid(format!("`{name}` makes no name of a procedure")))?;
    let mut steps: Vec<Step> = skill_file::steps(body).into_iter().map(Step::Sentence).collect();
    if steps.is_empty() {
        steps.push(Step::Sentence(format!("Follow the guidance of the skill {name}")));
    }
    let guidance: String = body.trim().chars().take(MOST_GUIDANCE_CHARS).collect();
    let patch = DefinitionPatch {
        description: Some(description.chars().take(MOST_GUIDANCE_CHARS).collect()),
        category: Some(CATEGORY.to_owned()),
        tags: Some(tags(&name, front.texts("tags"))),
        steps: Some(steps),
        solution: Some(guidance),
        ..DefinitionPatch::default()
    };
    Ok(Read { name, patch, mended: front.mended })
}

/// The file that says what a skill is.
pub fn own_file(bundle: &Bundle) -> Option<&Attached> {
    bundle.files().iter().find(|file| is_skill_file(&file.path))
}

/// What a skill and its scripts have in common.
pub fn tag_of(skill: &str) -> String {
    format!("skill-{skill}")
}

fn tags(skill: &str, said: Vec<String>) -> Vec<String> {
    const MOST_TAGS: usize = 50;
    std::iter::once(tag_of(skill)).chain(said).take(MOST_TAGS).collect()
}

fn folder_name(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.file_name().map_or_else(|| "skill".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The slug of a text, cut where it is too long.
fn short_name(text: &str) -> Option<String> {
    let cut: String = text.chars().take(MAX_NAME_CHARS).collect();
    let name = ProcedureName::parse(&cut).ok()?.to_string();
    Some(name.trim_end_matches(['-', '_']).to_owned())
}

/// The scripts of a skill, each as a procedure of its own.
fn scripts(skill: &str, folder: &Path, bundle: &Arc<Bundle>) -> Vec<Item> {
    let is_code = |file: &&Attached| {
        Path::new(&file.path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("py"))
            && !file.path.ends_with("__init__.py")
    };
    let files: Vec<&Attached> = bundle.files().iter().filter(is_code).collect();
    let mut taken = BTreeSet::new();
    let item = |file: &Attached| {
        let path = file.path.trim_end_matches(".py");
        let parts: Vec<&str> = path.split('/').collect();
        // As short as tells them apart.
        let names = (1..=parts.len()).filter_map(|count| {
            let wanted = format!("{skill}-{}", parts[parts.len() - count..].join("-"));
            short_name(&wanted)
        });
        let name = names.into_iter().find(|name| taken.insert(name.clone()))?;
        let found = std::str::from_utf8(&file.bytes)
            .map_err(|_| LibraryError::invalid(format!("`{}` is not UTF-8", file.path)))
            .map(|text| of_script(skill, &name, &file.path, text, bundle));
        Some(Item { origin: folder.join(&file.path).display().to_string(), found })
    };
    files.into_iter().filter_map(item).collect()
}

fn of_script(skill: &str, name: &str, path: &str, text: &str, bundle: &Arc<Bundle>) -> Incoming {
    let entry = ProcedureName::parse(name).map_or_else(|_| "run".to_owned(), |name| name.identifier());
    let called = script::called(path, text, &entry, bundle);
    let mut incoming = Incoming {
        name: name.to_owned(),
        content: Content::Fields(Box::default()),
        code: None,
        lock: None,
        dependencies: None,
        left_out: Vec::new(),
        files: None,
        is_proposed: true,
        is_script: true,
    };
    match called {
        Ok(called) => {
            let said = called.docstring.as_deref().map(str::trim).unwrap_or_default();
            let description = format!("The script {path} of the skill {skill}. {said}");
            incoming.content = Content::Fields(Box::new(DefinitionPatch {
                description: Some(description.trim().chars().take(MOST_GUIDANCE_CHARS).collect()),
                category: Some(CATEGORY.to_owned()),
                tags: Some(vec![tag_of(skill)]),
                steps: Some(vec![Step::Sentence(format!("Execute {path}"))]),
                parameters: Some(called.parameters),
                ..DefinitionPatch::default()
            }));
            incoming.files = called.uses_files.then(|| Arc::clone(bundle));
            incoming.code = Some(called.code);
            incoming.dependencies = Some(called.dependencies);
        }
        Err(why) => incoming.left_out.push(why),
    }
    incoming
}

/// The files of a folder, and what of it is passed over: links lead elsewhere.
fn read(folder: &Path) -> Result<(Vec<Attached>, Vec<String>), String> {
    let opened = Dir::open_ambient_dir(folder, ambient_authority());
    let opened = opened.map_err(|error| format!("`{}` can't be read: {error}", folder.display()))?;
    let mut walk = Walk { files: Vec::new(), passed_over: Vec::new(), bytes: 0 };
    walk.folder(&opened, "", MOST_DEPTH)?;
    Ok((walk.files, walk.passed_over))
}

struct Walk {
    files: Vec<Attached>,
    passed_over: Vec<String>,
    bytes: u64,
}

impl Walk {
    fn folder(&mut self, dir: &Dir, above: &str, depth: usize) -> Result<(), String> {
        let refused = |path: &str, error: &io::Error| format!("`{path}` can't be read: {error}");
        let entries = dir.entries().map_err(|error| refused(above, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| refused(above, &error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                self.passed_over.push(format!("`{}`, whose name is not UTF-8", name.to_string_lossy()));
                continue;
            };
            if PASSED_OVER.contains(&name) || name.strip_suffix(".pyc").is_some() || name == ".DS_Store" {
                continue;
            }
            let path = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
            let kind = entry.file_type().map_err(|error| refused(&path, &error))?;
            if kind.is_dir() {
                if depth == 0 {
                    return Err(format!("the folder `{path}` is deeper than {MOST_DEPTH} folders"));
                }
                let inner = entry.open_dir().map_err(|error| refused(&path, &error))?;
                self.folder(&inner, &path, depth - 1)?;
            } else if kind.is_file() {
                let file = entry.open().map_err(|error| refused(&path, &error))?;
                self.file(file, path)?;
            } else {
                self.passed_over.push(format!("`{path}`, which is a link or no file"));
            }
        }
        Ok(())
    }

    fn file(&mut self, file: cap_std::fs::File, path: String) -> Result<(), String> {
        let refused = |error: io::Error| format!("`{path}` can't be read: {error}");
        let metadata = file.metadata().map_err(refused)?;
        let mut bytes = Vec::new();
        file.take(MOST_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(refused)?;
        self.bytes += bytes.len() as u64;
        if bytes.len() as u64 > MOST_FILE_BYTES {
            return Err(format!(
                "`{path}` has more than {MOST_FILE_BYTES} bytes, the most that a file of a skill may have"
            ));
        }
        if self.bytes > MOST_BYTES {
            return Err(format!("its files have more than {MOST_BYTES} bytes, the most that a skill may have"));
        }
        if self.files.len() >= MOST_FILES {
            return Err(format!("it has more than {MOST_FILES} files, the most that a skill may have"));
        }
        #[cfg(unix)]
        let is_executable = {
            use cap_std::fs::PermissionsExt as _;
            metadata.permissions().mode() & 0o100 != 0
        };
        #[cfg(not(unix))]
        let is_executable = {
            let _ = metadata;
            false
        };
        self.files.push(Attached { path, bytes, is_executable });
        Ok(())
    }
}
