//! The front matter: where it is, and what it says.

use serde_json::{Map, Value};

use super::yaml::{self, Fault, Node, shown};

/// The most bytes of front matter.
const MOST_BYTES: usize = 64 * 1024;

/// What front matter says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// Each with its line in the file.
    entries: Vec<(String, usize, Node)>,
    /// All of it as JSON.
    pub json: Map<String, Value>,
    /// The lines that are no YAML, and were read as the texts that they were meant to be.
    pub mended: Vec<usize>,
}

impl FrontMatter {
    /// Reads `yaml`, which begins at `line` of its file.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn read(yaml: &str, line: usize) -> Result<Self, Fault> {
        let placed = |fault: Fault| Fault { line: fault.line.max(1) - 1 + line, ..fault };
        if yaml.len() > MOST_BYTES {
            let why = format!("the front matter has {} bytes, at most {MOST_BYTES} are read", yaml.len());
            return Err(Fault { line, why });
        }
        let (entries, json, mended) = match yaml::entries(yaml) {
            Ok(entries) => (entries, yaml::values(yaml), Vec::new()),
            Err(fault) => {
                let (text, mended) = mend(yaml);
                match yaml::entries(&text) {
                    Ok(entries) if !mended.is_empty() => (entries, yaml::values(&text), mended),
                    Ok(_) | Err(_) => return Err(placed(fault)),
                }
            }
        };
        let entries = entries.into_iter().map(|(key, at, node)| (key, at.max(1) - 1 + line, node)).collect();
        let mended = mended.into_iter().map(|at| at + line).collect();
        Ok(Self { entries, json: json.map_err(placed)?, mended })
    }

    /// The keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, ..)| key.as_str())
    }

    /// The text of a key; `None` where it is not there or says nothing.
    ///
    /// # Errors
    /// A [`Fault`] where it is something else.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Fault> {
        match self.entries.iter().find(|(there, ..)| there == key) {
            None | Some((_, _, Node::Nothing)) => Ok(None),
            Some((_, _, Node::Text(text))) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some((_, line, other)) => {
                Err(Fault { line: *line, why: format!("`{}` is {}, not a text", shown(key), other.what_it_is()) })
            }
        }
    }

    /// The texts of a key: a list of them, or one with commas. What is neither is none.
    #[must_use]
    pub fn texts<'a>(&'a self, key: &str) -> Vec<String> {
        let found = self.entries.iter().find(|(there, ..)| there == key).map(|(_, _, node)| node);
        let texts: Vec<&str> = match found {
            Some(Node::Text(text)) => text.split(',').collect(),
            Some(Node::List(items)) => {
                let text = |item: &'a Node| if let Node::Text(text) = item { Some(text.as_str()) } else { None };
                items.iter().filter_map(text).collect()
            }
            _ => Vec::new(),
        };
        texts.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
    }
}

/// YAML, and the line of its file that it begins at.
pub type Found<'t> = (&'t str, usize);

/// The front matter of a text, and what stands behind it.
pub fn split(text: &str) -> Result<(Option<Found<'_>>, &str), Fault> {
    let mut offset = 0;
    let mut start = None;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_end();
        let after = offset + line.len();
        match start {
            None if bare.is_empty() => {}
            None if bare == "---" => start = Some((after, number + 2)),
            None => return Ok((None, text)),
            Some((begin, at)) if bare == "---" || bare == "..." => {
                return Ok((Some((&text[begin..offset], at)), &text[after..]));
            }
            Some(_) => {}
        }
        offset = after;
    }
    match start {
        None => Ok((None, text)),
        Some((_, at)) => {
            Err(Fault { line: at - 1, why: "the front matter begins here and no line `---` ends it".to_owned() })
        }
    }
}

/// The text with those entries in quotes that are a key with a text, but no YAML (`description: Use when: …`), and which lines
/// these begin at, counted from 0. Each line stays where it is.
fn mend(yaml: &str) -> (String, Vec<usize>) {
    let lines: Vec<&str> = yaml.lines().collect();
    let goes_on = |line: &&&str| line.starts_with([' ', '\t']) || line.trim().is_empty();
    let (mut mended, mut written) = (Vec::new(), String::with_capacity(yaml.len() + 16));
    let mut number = 0;
    while let Some(line) = lines.get(number) {
        let more = lines[number + 1..].iter().take_while(goes_on).count();
        let entry = &lines[number..=number + more];
        // What is in lines of its own is a text only where one is expected.
        let meant = pair(line).filter(|(key, value)| {
            let has_keys = entry[1..].iter().any(|line| pair(line.trim()).is_some());
            let is_text = *key == "description" || more == 0 || (!value.is_empty() && !has_keys);
            is_text && !value.starts_with(['|', '>']) && yaml::entries(&entry.join("\n")).is_err()
        });
        match meant {
            Some((key, value)) => {
                let parts = std::iter::once(value).chain(entry[1..].iter().map(|line| line.trim()));
                let text = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
                written.extend([key, ": '", &text.replace('\'', "''"), "'", &"\n".repeat(more + 1)]);
                mended.push(number);
            }
            None => entry.iter().for_each(|line| written.extend([*line, "\n"])),
        }
        number += more + 1;
    }
    (written, mended)
}

/// A key at the margin and what stands behind it.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':').filter(|(_, value)| value.is_empty() || value.starts_with([' ', '\t']))?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    is_key.then(|| (key, value.trim()))
}
