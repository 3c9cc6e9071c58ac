//! Changes of a source, and the way back from the changed one.

use ruff_text_size::TextRange;

/// What is to stand in the place of which parts of a source. The parts don't overlap.
#[derive(Debug, Default, Clone)]
pub struct Edits(Vec<Edit>);

#[derive(Debug, Clone)]
struct Edit {
    range: TextRange,
    text: String,
}

impl Edits {
    /// Puts `text` in the place of a part.
    pub fn replace(&mut self, range: TextRange, text: impl Into<String>) {
        self.0.push(Edit { range, text: text.into() });
    }

    /// Whether nothing is to be changed.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parts in their order, where none lies in another: of two that do, the outer one stays.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.0.sort_by_key(|edit| (edit.range.start(), std::cmp::Reverse(edit.range.end())));
        let mut end = None;
        self.0.retain(|edit| {
            let is_apart = end.is_none_or(|end| edit.range.start() >= end);
            if is_apart {
                end = Some(edit.range.end());
            }
            is_apart
        });
        self
    }

    /// The changed source.
    pub fn apply(&self, source: &str) -> String {
        let mut text = String::with_capacity(source.len() + 64);
        let mut done = 0;
        for Edit { range, text: new } in &self.0 {
            text.push_str(&source[done..range.start().to_usize()]);
            text.push_str(new);
            done = range.end().to_usize();
        }
        text.push_str(&source[done..]);
        text
    }

    /// Where a byte of the changed source was; of one that is new, where what it replaces begins.
    pub fn offset(&self, new: usize) -> usize {
        // How much longer, and how much shorter, everything before has become.
        let (mut added, mut removed) = (0, 0);
        for Edit { range, text } in &self.0 {
            let start = range.start().to_usize() + added - removed;
            if new < start {
                break;
            }
            if new < start + text.len() {
                return range.start().to_usize();
            }
            added += text.len();
            removed += range.len().to_usize();
        }
        (new + removed).saturating_sub(added)
    }

    /// The line of the source that a line of the changed one was, both counted from 1.
    pub fn line(&self, changed: &str, source: &str, line: u32) -> u32 {
        if self.is_empty() {
            return line;
        }
        let before = usize::try_from(line.saturating_sub(1)).unwrap_or_default();
        let start: usize = changed.split_inclusive('\n').take(before).map(str::len).sum();
        let offset = self.offset(start).min(source.len());
        let breaks = memchr::memchr_iter(b'\n', &source.as_bytes()[..offset]).count();
        u32::try_from(breaks + 1).unwrap_or(u32::MAX)
    }
}
