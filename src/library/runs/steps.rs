//! Which step of a procedure a line of its code belongs to.
//!
//! Code marks its steps with comments: everything below `# Step 3` up to the next such comment is step 3. The step
//! compiler writes them, and other authors may.

/// The first line of each step, in order of lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepLines(Vec<(u32, u32)>);

impl StepLines {
    /// Reads the marks of `code`.
    pub fn read(code: &str) -> Self {
        let marks = code.lines().zip(1..).filter_map(|(line, number)| {
            let rest = line.trim_start().strip_prefix("# Step ")?;
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            Some((number, digits.parse().ok()?))
        });
        Self(marks.collect())
    }

    /// The step that `line` belongs to.
    pub fn step_at(&self, line: u32) -> Option<u32> {
        self.0.iter().take_while(|(first, _)| *first <= line).last().map(|(_, step)| *step)
    }
}

/// The line, from 1, of a byte offset.
pub fn line_of(source: &str, offset: usize) -> u32 {
    let newlines = source.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    u32::try_from(newlines + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_belongs_to_the_mark_above_it() {
        let code = "def f():\n    a()\n    # Step 1: look\n    b()\n    # Step 12\n    c()\n    # Step by step\n";
        let steps = StepLines::read(code);
        let found: Vec<Option<u32>> = (1..=7).map(|line| steps.step_at(line)).collect();
        assert_eq!(found, [None, None, Some(1), Some(1), Some(12), Some(12), Some(12)]);
        assert_eq!(line_of(code, code.find("c()").unwrap()), 6);
    }
}
