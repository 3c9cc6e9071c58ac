//! What the text of a skill says to do, as far as its form shows that.

/// The longest description that the specification allows, in characters.
pub const MOST_DESCRIPTION_CHARS: usize = 1024;
/// The most steps that are made of a text.
const MOST_STEPS: usize = 50;
/// The longest of them, in characters.
const MOST_STEP_CHARS: usize = 300;

/// What is to be done, in order: the items of the one numbered list, or else the headings of sections. Empty where the text
/// has neither. Only words: nothing in them is a command or a variable.
#[must_use]
pub fn steps(body: &str) -> Vec<String> {
    let (mut items, mut headings) = (Vec::new(), Vec::new());
    let (mut lists, mut expected) = (0, 1);
    for line in outside_fences(body) {
        if let Some((number, text)) = numbered(line) {
            if number == 1 {
                lists += 1;
            }
            if number == 1 || number == expected {
                expected = number + 1;
                items.push(text);
            }
        } else if let Some(text) = line.strip_prefix("## ") {
            headings.push(numbered(text.trim()).map_or(text.trim(), |(_, text)| text));
        }
    }
    let found = if lists == 1 && items.len() > 1 { items } else { headings };
    if found.len() < 2 {
        return Vec::new();
    }
    found.into_iter().map(words).filter(|text| !text.is_empty()).take(MOST_STEPS).collect()
}

/// The first lines that say something, as one.
#[must_use]
pub fn first_paragraph(body: &str) -> Option<String> {
    let mut paragraph: Vec<&str> = Vec::new();
    let mut heading = None;
    for line in outside_fences(body) {
        let line = line.trim();
        if line.starts_with('#') {
            heading = heading.or(Some(line.trim_start_matches('#').trim()).filter(|text| !text.is_empty()));
        } else if !line.is_empty() {
            paragraph.push(line);
            continue;
        }
        if !paragraph.is_empty() {
            break;
        }
    }
    let text = if paragraph.is_empty() { heading?.to_owned() } else { paragraph.join(" ") };
    Some(text.chars().take(MOST_DESCRIPTION_CHARS).collect())
}

/// The lines that are no code.
fn outside_fences(body: &str) -> impl Iterator<Item = &str> {
    let mut fence: Option<&str> = None;
    body.lines().filter(move |line| {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (open, _) => return open.is_none(),
        }
        false
    })
}

/// `2. Push` as its number and its text.
fn numbered(line: &str) -> Option<(u32, &str)> {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = line.split_at(digits);
    let text = rest.strip_prefix(['.', ')'])?.strip_prefix(' ')?.trim();
    Some((number.parse().ok()?, text)).filter(|(_, text)| !text.is_empty())
}

/// Words alone: a sentence with a command in back-ticks would be one that is run, and one with braces a template.
fn words(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !matches!(c, '`' | '*' | '{' | '}')).take(MOST_STEP_CHARS).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
