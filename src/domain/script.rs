//! What a script says of itself in a comment: the inline metadata of PEP 723.
//!
//! ```text
//! # /// script
//! # requires-python = ">=3.11"
//! # dependencies = ["pandas", "pillow>=11"]
//! # ///
//! ```

use serde::Deserialize;

/// The variable that says where the files of a script are.
pub const FILES: &str = "REPERTOIRE_FILES";
const BEGIN: &str = "# /// script";
const END: &str = "# ///";

/// The part of it that is used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Script {
    /// Which versions of Python it is for, as `>=3.11`.
    pub requires_python: Option<String>,
    /// The packages that it needs, as `pandas` or `pillow>=11`.
    pub dependencies: Vec<String>,
    /// What it says to certain programs.
    pub tool: Tools,
}

/// What a script says to certain programs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Tools {
    pub repertoire: OwnTool,
}

/// What a script says to this program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct OwnTool {
    /// The id of the folder of files that its runs may read.
    pub files: Option<String>,
}

impl Script {
    /// What `code` says of itself; nothing where it has no such comment.
    ///
    /// # Errors
    /// What is wrong with the comment.
    pub fn read(code: &str) -> Result<Self, String> {
        let Some((begin, end)) = block(code) else { return Ok(Self::default()) };
        let lines = code.lines().skip(begin + 1).take(end - begin - 1);
        let text: String = lines.flat_map(|line| [line.strip_prefix("# ").unwrap_or_default(), "\n"]).collect();
        let unreadable = |why: &str| format!("the comment `{BEGIN}` at line {} can't be read: {why}", begin + 1);
        let script: Self = toml::from_str(&text).map_err(|error| unreadable(error.message()))?;
        match &script.requires_python {
            Some(versions) if !is_versions(versions) => {
                Err(unreadable("`requires-python` names no versions; write them as `>=3.11`"))
            }
            _ => Ok(script),
        }
    }

    /// The id of the folder of files that its runs may read: as git writes one.
    #[must_use]
    pub fn files(&self) -> Option<&str> {
        const ID_DIGITS: usize = 40;
        let id = self.tool.repertoire.files.as_deref()?;
        (id.len() == ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')))
            .then_some(id)
    }

    /// Whether it has modules that are neither its own nor of the standard library.
    #[must_use]
    pub fn has_modules(&self) -> bool {
        !self.dependencies.is_empty() || self.files().is_some()
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `code` with these dependencies in its comment, which is put in front where there is none.
///
/// # Errors
/// Where the comment names others, or can't be read.
pub fn with_dependencies(code: &str, dependencies: &[String]) -> Result<String, String> {
    let said = Script::read(code)?.dependencies;
    if said == dependencies || dependencies.is_empty() {
        return Ok(code.to_owned());
    }
    if block(code).is_some() {
        return Err(format!(
            "the code names its dependencies itself, in the comment `{BEGIN}`; change them there, and leave `dependencies` out"
        ));
    }
    let listed: Vec<String> =
        dependencies.iter().map(|name| format!("\"{}\"", name.replace(['\\', '"'], ""))).collect();
    Ok(format!("{BEGIN}\n# dependencies = [{}]\n{END}\n\n{code}", listed.join(", ")))
}

/// The lines that begin and end the comment, counted from 0.
fn block(code: &str) -> Option<(usize, usize)> {
    let begin = code.lines().position(|line| line.trim_end() == BEGIN)?;
    let inside =
        code.lines().enumerate().skip(begin + 1).take_while(|(_, line)| *line == "#" || line.starts_with("# "));
    let end = inside.filter(|(_, line)| line.trim_end() == END).last()?.0;
    Some((begin, end))
}

/// Whether a text names versions and nothing else: what gets it takes other texts for the path of a program.
fn is_versions(text: &str) -> bool {
    let text = text.trim();
    text.chars().all(|c| c.is_ascii_digit() || ".,*<>=!~ ".contains(c)) && text.contains(|c: char| c.is_ascii_digit())
}

/// The name of the package that a dependency names, as indexes compare it; `None` where it names none.
#[must_use]
pub fn package(dependency: &str) -> Option<String> {
    let dependency = dependency.trim();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = dependency.find(|c| !is_part(c)).unwrap_or(dependency.len());
    let (name, rest) = dependency.split_at(end);
    // An address instead of a version names a place that no index vouches for; and what is resolved is a list of lines, in
    // which others, options, comments and variables have a meaning of their own.
    let is_known = |c: char| c.is_ascii_alphanumeric() || " .,*<>=!~[]();'\"-_+".contains(c);
    let is_plain = rest.chars().all(is_known) && !rest.contains("--");
    if !is_plain || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let parts: Vec<&str> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    Some(parts.join("-").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \"pandas>=2\",\n# ]\n# ///\n\ndef f():\n    return 1\n";

    #[test]
    fn the_comment_is_read() {
        let script = Script::read(CODE).unwrap();
        assert_eq!(script.requires_python.as_deref(), Some(">=3.11"));
        assert_eq!(script.dependencies, ["pandas>=2"]);
        for none in ["", "x = 1\n", "# /// script\n# dependencies = []\nx = 1\n", "# /// other\n# a = 1\n# ///\n"] {
            assert!(Script::read(none).unwrap().is_empty(), "{none}");
        }
        let error = Script::read("x = 1\n# /// script\n# dependencies = [\n# ///\n").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn versions_of_python_are_no_paths_and_no_names() {
        let code = |versions: &str| format!("# /// script\n# requires-python = \"{versions}\"\n# ///\n");
        for versions in [">=3.11", ">=3.11,<4", "==3.12.*", "~=3.11", "3.13", " >= 3.11 "] {
            assert!(Script::read(&code(versions)).is_ok(), "{versions}");
        }
        for other in ["/srv/evil", "./evil", "evil", "pypy@3.11", "C:\\\\evil.exe", "", "..", ">="] {
            assert!(Script::read(&code(other)).unwrap_err().contains("names no versions"), "{other}");
        }
    }

    #[test]
    fn dependencies_become_a_comment_that_is_read_back() {
        let names = ["pandas".to_owned(), "pillow>=11".to_owned()];
        let code = with_dependencies("x = 1\n", &names).unwrap();
        assert_eq!(Script::read(&code).unwrap().dependencies, names);
        assert!(code.ends_with("\nx = 1\n"));
        assert_eq!(with_dependencies(&code, &names).unwrap(), code);
        assert_eq!(with_dependencies(CODE, &[]).unwrap(), CODE);
        assert!(with_dependencies(CODE, &names).unwrap_err().contains("names its dependencies itself"));
    }

    #[test]
    fn packages_are_named_as_indexes_do() {
        for (dependency, name) in [
            ("pandas", Some("pandas")),
            (" Ruamel.Yaml >= 0.18 ; python_version > '3'", Some("ruamel-yaml")),
            ("requests[socks]==2.*", Some("requests")),
            ("evil @ https://example.org/evil.whl", None),
            ("six (>=1.16,<2) ; sys_platform != \"win32\"", Some("six")),
            ("./local", None),
            ("", None),
            ("six\n-e ./local", None),
            ("six\n--index-url https://example.org", None),
            ("six --config-settings x=y", None),
            ("six # a remark", None),
            ("six==${VERSION}", None),
            ("six /path", None),
        ] {
            assert_eq!(package(dependency).as_deref(), name, "{dependency}");
        }
    }
}
