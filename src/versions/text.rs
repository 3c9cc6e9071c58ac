//! The text in a file that anybody may have pushed.

/// The text of a file in UTF-8, without a byte-order mark; otherwise what it is.
pub fn decode(mut bytes: Vec<u8>) -> Result<String, String> {
    match &bytes[..] {
        [0xef, 0xbb, 0xbf, ..] => drop(bytes.drain(..3)),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err("is in UTF-16, as PowerShell writes it; save it as UTF-8".to_owned());
        }
        _ => {}
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(format!("has a zero byte at {at}, so it is no text in UTF-8 (perhaps UTF-16?); save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + memchr::memchr_iter(b'\n', &error.as_bytes()[..valid]).count();
        format!("is not UTF-8 (line {line}; perhaps Latin-1?); save it as UTF-8")
    })
}

/// The line of the first mark that git leaves where a merge was not finished.
pub fn conflict_line(text: &str) -> Option<usize> {
    let is_mark =
        |line: &str, mark: &str| line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let begins = text.lines().position(|line| is_mark(line, "<<<<<<<"))?;
    text.lines().skip(begins).any(|line| is_mark(line, ">>>>>>>")).then_some(begins + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(bytes: &[u8]) -> String {
        decode(bytes.to_vec()).unwrap_err()
    }

    #[test]
    fn a_mark_before_the_text_is_left_out_and_other_encodings_are_named() {
        assert_eq!(decode(b"\xef\xbb\xbf{}".to_vec()).unwrap(), "{}");
        assert_eq!(decode("zo\u{eb}".as_bytes().to_vec()).unwrap(), "zo\u{eb}");
        assert!(refused(b"\xff\xfe{\0}\0").contains("UTF-16"));
        assert!(refused(b"\xfe\xff\0{\0}").contains("UTF-16"));
        assert!(refused(b"{\0}\0").contains("zero byte at 1"));
        assert!(refused(b"a = 1\nb = 'zo\xeb'\n").contains("line 2"));
    }

    #[test]
    fn a_merge_that_was_not_finished_is_seen() {
        assert_eq!(conflict_line("{\n<<<<<<< HEAD\n\"a\": 1\n=======\n\"a\": 2\n>>>>>>> theirs\n}"), Some(2));
        assert_eq!(conflict_line("# <<<<<<< is a mark\n=======\n>>>>>>> x\n"), None);
        assert_eq!(conflict_line("<<<<<<<x\n>>>>>>>\n"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_text_stays_what_it_is(text in "\\PC*") {
            let expected = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
            prop_assert_eq!(decode(text.into_bytes()), Ok(expected));
        }

        #[test]
        fn any_bytes_are_looked_at_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(text) = decode(bytes) {
                conflict_line(&text);
            }
        }
    }
}
