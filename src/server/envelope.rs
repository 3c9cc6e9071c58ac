//! Whose message a line is, whatever is wrong with it.
//!
//! A client waits for the answer that has its id. So this looks at the bytes of a line as they come and understands only what
//! it must: strings, nesting, and the keys of a message. It goes on behind a fault, it holds on to nothing but what it looks
//! for, and it never fails. What a readable message means is for others.

use serde::de::IgnoredAny;

/// Longer ids can't be told to anybody.
const MAX_ID_BYTES: usize = 64 * 1024;
/// Longer keys and names of methods are none that anybody knows.
const MAX_NAME_BYTES: usize = 400;
/// Deeper levels are counted, but not which brackets they are.
const MAX_KNOWN_LEVELS: usize = 1024;

/// The id of a message, as it stands in the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Id {
    /// There is none, or the line ends within it.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// Something that no answer can have as its id.
    Unusable,
    /// The JSON of a text or a number.
    Is(String),
}

/// What can be said of a message without reading it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Its id; the last where it has several.
    pub id: Id,
    /// Whether it has several that differ.
    pub has_two_ids: bool,
    /// The name of its method, as far as it is known.
    pub method: Option<String>,
    /// Whether it has a `result` or an `error`.
    pub has_result: bool,
    /// Whether its end is in the line.
    pub is_whole: bool,
}

/// What can be said of a line without reading it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The messages in it: one, unless it is a batch or lacks a line end.
    pub messages: Vec<Envelope>,
    /// Whether it is a list.
    pub is_batch: bool,
    /// How deep values are nested in it, the message itself counted.
    pub deepest: usize,
}

/// The key whose value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Id,
    Method,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Between tokens.
    Nothing,
    Text,
    /// A text, behind a backslash.
    Escape,
    /// A number, or one of the words.
    Word,
}

/// Reads a line in pieces of any size.
#[derive(Debug)]
pub struct Scanner {
    seen: Seen,
    /// The brackets that are open, as far as they are known; `beyond` are more.
    open: Vec<u8>,
    beyond: usize,
    /// Whether the message was taken up again behind its end, because a comma follows there.
    is_reopened: bool,
    token: Token,
    /// The token so far, where it matters, up to `most` bytes.
    bytes: Vec<u8>,
    most: usize,
    /// The last text at the level of a message: a key, if a colon follows.
    text: Option<Vec<u8>>,
    /// The key whose colon was seen.
    key: Option<Key>,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            seen: Seen::default(),
            open: Vec::new(),
            beyond: 0,
            is_reopened: false,
            token: Token::Nothing,
            bytes: Vec::new(),
            most: 0,
            text: None,
            key: None,
        }
    }
}

/// What can be said of a whole line.
#[must_use]
pub fn scan(line: &[u8]) -> Seen {
    let mut scanner = Scanner::default();
    scanner.read(line);
    scanner.finish()
}

impl Scanner {
    /// Takes in the next bytes of the line.
    pub fn read(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            match self.token {
                Token::Text => {
                    let length = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                    self.keep(&rest[..length]);
                    rest = &rest[length..];
                    let Some((&byte, after)) = rest.split_first() else { return };
                    self.keep(&[byte]);
                    rest = after;
                    if byte == b'"' {
                        self.end_text();
                    } else {
                        self.token = Token::Escape;
                    }
                    continue;
                }
                Token::Escape => {
                    self.keep(&[byte]);
                    self.token = Token::Text;
                }
                Token::Word if is_part_of_word(byte) => self.keep(&[byte]),
                Token::Word => {
                    self.end_word();
                    continue;
                }
                Token::Nothing => self.begin(byte),
            }
            rest = after;
        }
    }

    /// What was seen. A word that the line ends in may go on where the line was cut, so it is none.
    #[must_use]
    pub fn finish(self) -> Seen {
        self.seen
    }

    fn begin(&mut self, byte: u8) {
        match byte {
            b'"' => self.begin_token(Token::Text),
            b'{' | b'[' => self.enter(byte),
            b'}' => self.leave(b'{'),
            b']' => self.leave(b'['),
            b':' if self.is_in_message() => self.colon(),
            b',' => {
                // Behind the end of a message no comma can be, unless a bracket too many ended it.
                if self.open.is_empty() && !self.seen.messages.is_empty() {
                    self.open.push(b'{');
                    self.is_reopened = true;
                }
                self.forget();
            }
            _ if is_part_of_word(byte) => self.begin_token(Token::Word),
            _ => return,
        }
        if self.token != Token::Nothing {
            self.keep(&[byte]);
        }
    }

    fn colon(&mut self) {
        let Some(text) = self.text.take() else { return };
        let name = serde_json::from_slice::<String>(&text).unwrap_or_default();
        self.key = Some(match name.as_str() {
            "id" => Key::Id,
            "method" => Key::Method,
            _ => Key::Other,
        });
        if let ("result" | "error", Some(message)) = (name.as_str(), self.seen.messages.last_mut()) {
            message.has_result = true;
        }
    }

    fn begin_token(&mut self, token: Token) {
        self.token = token;
        self.bytes.clear();
        self.most = match (self.is_in_message(), self.key) {
            (true, Some(Key::Id)) => MAX_ID_BYTES,
            (true, Some(Key::Method) | None) => MAX_NAME_BYTES,
            _ => 0,
        };
    }

    /// Keeps a byte more than what may be kept, so that it shows.
    fn keep(&mut self, bytes: &[u8]) {
        if self.most > 0 {
            let room = (self.most + 1).saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// Whether keys are those of a message.
    fn is_in_message(&self) -> bool {
        self.beyond == 0
            && match &self.open[..] {
                [b'{'] => true,
                [b'[', b'{'] => self.seen.is_batch,
                _ => false,
            }
    }

    fn enter(&mut self, bracket: u8) {
        let begins = match &self.open[..] {
            [] => true,
            [b'['] => self.seen.is_batch,
            // No key, so it is no value: the comma stood between two messages.
            [b'{'] => self.is_reopened && self.key.is_none(),
            _ => false,
        };
        if begins && self.beyond == 0 {
            if self.is_reopened {
                self.open.clear();
                self.is_reopened = false;
            }
            if bracket == b'{' {
                self.seen.messages.push(Envelope::default());
            } else if self.open.is_empty() && self.seen.messages.is_empty() {
                self.seen.is_batch = true;
            }
        } else if self.is_in_message() {
            self.value(&Id::Unusable, None);
        }
        if self.open.len() < MAX_KNOWN_LEVELS {
            self.open.push(bracket);
        } else {
            self.beyond += 1;
        }
        self.seen.deepest = self.seen.deepest.max(self.open.len() + self.beyond);
        self.forget();
    }

    /// A bracket closes the one that it belongs to, and with it those that were left open; one too many closes nothing.
    fn leave(&mut self, opening: u8) {
        self.forget();
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(at) = self.open.iter().rposition(|open| *open == opening) else { return };
        let ends_message = opening == b'{' && (at == 0 || (at == 1 && self.seen.is_batch));
        self.open.truncate(at);
        if ends_message && let Some(message) = self.seen.messages.last_mut() {
            message.is_whole = true;
        }
    }

    fn forget(&mut self) {
        self.text = None;
        self.key = None;
    }

    fn end_text(&mut self) {
        self.token = Token::Nothing;
        if !self.is_in_message() {
            return;
        }
        if self.key.is_none() {
            self.text = (self.bytes.len() <= self.most).then(|| std::mem::take(&mut self.bytes));
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let fits = bytes.len() <= self.most;
        let id = if fits { text_id(&bytes) } else { Id::Unusable };
        self.value(&id, Some(&bytes));
    }

    fn end_word(&mut self) {
        self.token = Token::Nothing;
        if !self.is_in_message() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        if self.key.is_none() {
            // A key without quotes, or with those of another language.
            let name = bytes.strip_prefix(b"'").and_then(|name| name.strip_suffix(b"'")).unwrap_or(&bytes);
            self.text = (bytes.len() <= self.most).then(|| [b"\"", name, b"\""].concat());
        } else {
            let id = match &bytes[..] {
                b"null" => Id::Null,
                number if number.len() <= self.most => number_id(number),
                _ => Id::Unusable,
            };
            self.value(&id, None);
        }
    }

    /// Takes in the value of the key that was seen last: what it would be as an id, and its text if it is one.
    fn value(&mut self, id: &Id, text: Option<&[u8]>) {
        let (Some(key), Some(message)) = (self.key.take(), self.seen.messages.last_mut()) else { return };
        match key {
            Key::Id => {
                message.has_two_ids |= !matches!(message.id, Id::Absent) && message.id != *id;
                message.id = id.clone();
            }
            Key::Method => {
                let name = text.and_then(|text| serde_json::from_slice(text).ok());
                message.method = Some(name.unwrap_or_default());
            }
            Key::Other => {}
        }
    }
}

impl Envelope {
    /// Whether nobody waits for an answer: it is whole and names a method, but has no id.
    #[must_use]
    pub const fn is_notification(&self) -> bool {
        self.is_whole && self.method.is_some() && matches!(self.id, Id::Absent)
    }

    /// Whether it answers something that the server asked. Its id is one of the server's then.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        self.has_result && self.method.is_none()
    }
}

const fn is_part_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_' | b'\'') || byte >= 0x80
}

/// A number as an id; what JSON has no such number for can't be written into an answer.
fn number_id(bytes: &[u8]) -> Id {
    let is_number = bytes.first().is_some_and(|byte| *byte == b'-' || byte.is_ascii_digit())
        && serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    match std::str::from_utf8(bytes) {
        Ok(number) if is_number => Id::Is(number.to_owned()),
        _ => Id::Unusable,
    }
}

/// A text as an id. Halves of surrogate pairs stay the escapes that they are, because the client compares with them; what
/// would break the answer is written as JSON wants it.
fn text_id(bytes: &[u8]) -> Id {
    let text = String::from_utf8_lossy(bytes);
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        if character < ' ' {
            written.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            written.push(character);
        }
    }
    if serde_json::from_str::<IgnoredAny>(&written).is_ok() { Id::Is(written) } else { Id::Unusable }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
