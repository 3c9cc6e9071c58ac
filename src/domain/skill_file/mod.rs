//! The file `SKILL.md` of an Agent Skill: front matter in YAML, and a text in Markdown for whoever follows it.
//!
//! Reading is lenient with what people write, and loses nothing: the file itself is kept beside what was read of it.

mod front_matter;
mod names;
#[cfg(test)]
mod tests;
mod text;
mod yaml;

pub use front_matter::FrontMatter;
pub use names::{MOST_NAME_CHARS, skill_names};
pub use text::{MOST_DESCRIPTION_CHARS, first_paragraph, steps};
pub use yaml::{Fault, Node};

/// What such a file is called.
pub const FILE_NAME: &str = "SKILL.md";
/// The most that is read of one.
pub const MOST_BYTES: usize = 1 << 20;

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct SkillFile<'t> {
    pub front: FrontMatter,
    /// What stands behind the front matter, as it is.
    pub body: &'t str,
}

impl<'t> SkillFile<'t> {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn read(text: &'t str) -> Result<Self, Fault> {
        if text.len() > MOST_BYTES {
            return Err(Fault { line: 1, why: format!("it has {} bytes, at most {MOST_BYTES} are read", text.len()) });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (front, body) = front_matter::split(text)?;
        let front = front.map(|(yaml, line)| FrontMatter::read(yaml, line)).transpose()?.unwrap_or_default();
        Ok(Self { front, body })
    }
}
