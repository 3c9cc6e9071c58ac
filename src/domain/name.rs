//! The name of a procedure: a slug that is unique in a home and travels between machines.

use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use unicode_normalization::UnicodeNormalization as _;

use super::{Hinted, host_module, nfc};

/// Longest accepted name, in characters. Two of them and their folders still fit the 255 bytes that
/// file systems give a path component, whatever the script.
pub const MAX_NAME_CHARS: usize = 60;

/// Longest part of a path that every file system takes.
const MAX_SEGMENT_BYTES: usize = 255;

/// Device names that Windows refuses as a folder, so a clone there could not be checked out.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Words that Python keeps for itself.
pub const PYTHON_KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Why a text can't become a [`ProcedureName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No letter is left: a name of digits alone could not be told from a numeric id.
    #[error("`{0}` has no letter in it")]
    NoLetter(String),
    /// The name is longer than [`MAX_NAME_CHARS`].
    #[error("a name has at most {MAX_NAME_CHARS} characters, this one has {0}")]
    TooLong(usize),
    /// The name is a device name on Windows.
    #[error("`{0}` is a reserved name on some systems")]
    Reserved(String),
}

impl Hinted for NameError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::NoLetter(_) => "give a name such as `summarise_git_changes`",
            Self::TooLong(_) => "shorten it and use `description` for the rest",
            Self::Reserved(_) => "choose another",
        };
        Some(hint.into())
    }
}

/// A validated slug: lower-case letters (of any script), digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ProcedureName(String);

impl ProcedureName {
    /// Makes a slug of free text: lower case, and every run of other characters becomes one `_`.
    ///
    /// # Errors
    /// [`NameError`] when nothing usable is left, or too much.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let slug = slugify(text);
        if !slug.chars().any(char::is_alphabetic) {
            return Err(NameError::NoLetter(text.chars().take(MAX_NAME_CHARS).collect()));
        }
        let length = slug.chars().count();
        if length > MAX_NAME_CHARS {
            return Err(NameError::TooLong(length));
        }
        check_segment(&slug)?;
        Ok(Self(slug))
    }

    /// A name as it is stored: also one that would get another form today, so that homes of before stay readable.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn stored(text: &str) -> Result<Self, NameError> {
        match Self::parse(text) {
            Ok(name) if name.0 == text => Ok(name),
            parsed => {
                let is_slug = slug_of(text) == text && text.chars().any(char::is_alphabetic);
                let fits = text.chars().count() <= MAX_NAME_CHARS && check_segment(text).is_ok();
                if is_slug && fits { Ok(Self(text.to_owned())) } else { parsed }
            }
        }
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a Python identifier: what the entry function is called.
    #[must_use]
    pub fn identifier(&self) -> String {
        // Superscripts, fractions and letters in circles are letters or numbers to Unicode, but not to Python.
        let is_enclosed = |c: char| matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}');
        let is_usable = |c: char| c.is_ascii_digit() || (c.is_alphabetic() && !is_enclosed(c));
        let identifier: String = self.0.chars().map(|c| if is_usable(c) { c } else { '_' }).collect();
        // A function of that name would hide the host function.
        let is_taken = PYTHON_KEYWORDS.contains(&identifier.as_str()) || host_module::signature(&identifier).is_some();
        if is_taken || identifier.starts_with(|c: char| c.is_numeric() || c == '_') {
            format!("run_{identifier}")
        } else {
            identifier
        }
    }
}

/// Whether every system takes a slug as the name of a folder.
///
/// # Errors
/// [`NameError::Reserved`] or [`NameError::TooLong`].
pub fn check_segment(slug: &str) -> Result<(), NameError> {
    // Windows takes what comes before a dot, and superscript digits for digits.
    if RESERVED.contains(&slug.nfkc().collect::<String>().as_str()) {
        return Err(NameError::Reserved(slug.to_owned()));
    }
    if slug.len() > MAX_SEGMENT_BYTES { Err(NameError::TooLong(slug.chars().count())) } else { Ok(()) }
}

/// Lower-cases `text` and turns every run of characters that are not letters, digits, `-` or `_` into one `_`. Each letter
/// is one character where there is one for it, and has its usual width.
#[must_use]
pub fn slugify(text: &str) -> String {
    let composed = nfc(text);
    // Digits in circles and the like stay: they say more than the digit.
    let mut usual = String::with_capacity(composed.len());
    for c in composed.chars() {
        if !c.is_ascii() && (c.is_alphabetic() || matches!(c, '\u{ff01}'..='\u{ffef}')) {
            usual.extend(c.nfkc());
        } else {
            usual.push(c);
        }
    }
    // What was a letter and its mark of half width is one letter now.
    nfc(&slug_of(&nfc(&usual)))
}

fn slug_of(text: &str) -> String {
    let mut slug = String::new();
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        // The capital İ in small letters is an i with another dot.
        if c == '\u{307}' && slug.ends_with('i') {
            continue;
        }
        if c.is_alphanumeric() || c == '-' {
            slug.push(c);
        } else if !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.trim_matches(['_', '-']).to_owned()
}

impl TryFrom<String> for ProcedureName {
    /// serde passes on what is displayed, so that is all of it.
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::stored(&text).map_err(|error| error.in_full())
    }
}

impl From<ProcedureName> for String {
    fn from(name: ProcedureName) -> Self {
        name.0
    }
}

impl fmt::Display for ProcedureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn free_text_becomes_a_slug() {
        assert_eq!(ProcedureName::parse("  Deploy to PROD! ").unwrap().as_str(), "deploy_to_prod");
        assert_eq!(ProcedureName::parse("run-unit_tests").unwrap().as_str(), "run-unit_tests");
        assert_eq!(ProcedureName::parse("Größe prüfen").unwrap().as_str(), "größe_prüfen");
        assert_eq!(ProcedureName::parse("../../etc/passwd").unwrap().as_str(), "etc_passwd");
        assert_eq!(ProcedureName::parse("3-way merge").unwrap().identifier(), "run_3_way_merge");
        assert_eq!(ProcedureName::parse("import").unwrap().identifier(), "run_import");
        assert_eq!(ProcedureName::parse("log").unwrap().identifier(), "run_log");
        assert_eq!(ProcedureName::parse("price per m²").unwrap().identifier(), "price_per_m_");
        assert_eq!(ProcedureName::parse("½ hour").unwrap().identifier(), "run___hour");
    }

    #[test]
    fn a_name_has_one_form() {
        for (text, slug) in [
            ("cafe\u{301}", "café"),
            ("ＤＥＰＬＯＹ　１", "deploy_1"),
            ("İstanbul", "istanbul"),
            ("Straße", "straße"),
            ("ﬁx it", "fix_it"),
            ("ΟΔΟΣ", "οδοσ"),
            ("price per m²", "price_per_m²"),
            ("ｶﾞｿﾘﾝ", "ガソリン"),
        ] {
            assert_eq!(ProcedureName::parse(text).unwrap().as_str(), slug);
        }
        // What was stored in another form stays as it is.
        for stored in ["ｄｅｐｌｏｙ", "ﬁx", "i_stanbul"] {
            assert_eq!(ProcedureName::stored(stored).unwrap().as_str(), stored);
        }
        assert_eq!(ProcedureName::stored("Not A Slug").unwrap().as_str(), "not_a_slug");
        for reserved in ["con", "COM1", "ｃｏｎ", "lpt¹", "Aux."] {
            assert!(matches!(ProcedureName::parse(reserved), Err(NameError::Reserved(_))), "{reserved}");
        }
    }

    #[test]
    fn unusable_names_say_why() {
        assert_eq!(ProcedureName::parse("42"), Err(NameError::NoLetter("42".into())));
        assert_eq!(ProcedureName::parse("../.."), Err(NameError::NoLetter("../..".into())));
        assert_eq!(ProcedureName::parse("NUL"), Err(NameError::Reserved("nul".into())));
        assert_eq!(ProcedureName::parse(&"a".repeat(61)), Err(NameError::TooLong(61)));
    }

    proptest! {
        #[test]
        fn a_slug_is_its_own_slug(text in "\\PC{0,80}") {
            if let Ok(name) = ProcedureName::parse(&text) {
                prop_assert_eq!(ProcedureName::parse(name.as_str()).unwrap(), name.clone());
                prop_assert!(!name.as_str().contains(['/', '\\', '.', ' ', '\0']));
            }
        }
    }
}
