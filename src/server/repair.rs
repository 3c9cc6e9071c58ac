//! Mending what can be mended in a line that is not quite JSON, because its texts are not quite text.
//!
//! A client that cuts a text by bytes or by UTF-16 units cuts characters in half. What is left of one is written as U+FFFD,
//! as everybody does who reads such text. Everything else stays as it is, right or wrong.

use std::borrow::Cow;

/// What an escape of half a character is made into; as long as that is.
const REPLACEMENT: &str = "\\ufffd";
const ESCAPE_BYTES: usize = REPLACEMENT.len();

/// A line with U+FFFD for bytes that are no UTF-8 and for escapes of half a character, and with an escape for every control
/// character inside a text.
#[must_use]
pub fn repaired(line: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(line) {
        Cow::Borrowed(text) => repaired_text(text),
        Cow::Owned(text) => Cow::Owned(repaired_text(&text).into_owned()),
    }
}

/// The same for text.
#[must_use]
pub fn repaired_text(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let has_control = bytes.iter().any(|byte| *byte < b' ');
    let has_half = [&b"\\ud"[..], b"\\uD"].iter().any(|start| memchr::memmem::find(bytes, start).is_some());
    if !has_control && !has_half {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut copied = 0;
    let (mut at, mut is_in_text) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        if !has_control && !matches!(byte, b'"' | b'\\') {
            at += memchr::memchr2(b'"', b'\\', &bytes[at..]).unwrap_or(bytes.len() - at);
            continue;
        }
        let length = match byte {
            b'"' => {
                is_in_text = !is_in_text;
                1
            }
            b'\\' if is_in_text => match unit(bytes, at) {
                Some(0xD800..=0xDBFF) if matches!(unit(bytes, at + ESCAPE_BYTES), Some(0xDC00..=0xDFFF)) => {
                    2 * ESCAPE_BYTES
                }
                Some(0xD800..=0xDFFF) => {
                    out.push_str(&text[copied..at]);
                    out.push_str(REPLACEMENT);
                    copied = at + ESCAPE_BYTES;
                    ESCAPE_BYTES
                }
                Some(_) => ESCAPE_BYTES,
                None if bytes.get(at + 1).is_some_and(u8::is_ascii) => 2,
                None => 1,
            },
            0..b' ' if is_in_text => {
                out.push_str(&text[copied..at]);
                out.push_str(&format!("\\u{byte:04x}"));
                copied = at + 1;
                1
            }
            _ => 1,
        };
        at += length;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The UTF-16 unit whose escape begins at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + ESCAPE_BYTES)?.strip_prefix(b"\\u")?;
    let is_hexadecimal = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_hexadecimal)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(line: &[u8]) -> Value {
        serde_json::from_str(&repaired(line)).unwrap()
    }

    #[test]
    fn half_a_character_is_a_replacement_character() {
        for (line, wanted) in [
            (r#"["cut \ud83d"]"#, json!(["cut \u{fffd}"])),
            (r#"["\uDE00 cut"]"#, json!(["\u{fffd} cut"])),
            (r#"["\uDE00\ud83D"]"#, json!(["\u{fffd}\u{fffd}"])),
            (r#"["\ud83d\ud83d\ude00"]"#, json!(["\u{fffd}😀"])),
            (r#"["\uD83D\uDE00\ude00"]"#, json!(["😀\u{fffd}"])),
            (r#"["\ud83dA\n\ud83d"]"#, json!(["\u{fffd}A\n\u{fffd}"])),
            (r#"["\ud83d\u0041"]"#, json!(["\u{fffd}A"])),
            (r#"{"a\udfff":{"\ud800":1}}"#, json!({"a\u{fffd}": {"\u{fffd}": 1}})),
            (r#"["\\ud83d", "\\\ud83d", "\"\ud83d"]"#, json!(["\\ud83d", "\\\u{fffd}", "\"\u{fffd}"])),
            ("[\"a\tb\u{1}\"]", json!(["a\tb\u{1}"])),
            ("[\t1 ,\r\"\u{7f}\"]", json!([1, "\u{7f}"])),
        ] {
            assert_eq!(read(line.as_bytes()), wanted, "{line}");
        }
        assert_eq!(read(b"[\"caf\xe9\", \"\xf0\x9f\x98\"]"), json!(["caf\u{fffd}", "\u{fffd}"]));
        assert_eq!(read(b"[\"\xed\xa0\xbd \\ud83d\"]"), json!(["\u{fffd}\u{fffd}\u{fffd} \u{fffd}"]));
    }

    #[test]
    fn what_is_broken_otherwise_stays_broken() {
        for line in
            [r#"["\ud8"]"#, r#"["\x41"]"#, r#"["\u12g4"]"#, r#"["\+123"]"#, r#"["\u+123"]"#, r#"["\"#, r"[\ud83d]"]
        {
            assert!(matches!(repaired(line.as_bytes()), Cow::Borrowed(same) if same == line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn json_is_left_alone(text in any::<String>(), other in ".{0,20}") {
            let line = json!({&other: [text]}).to_string();
            prop_assert!(matches!(repaired(line.as_bytes()), Cow::Borrowed(same) if same == line));
        }

        #[test]
        fn any_units_become_text(units in prop::collection::vec(any::<u16>(), 0..20)) {
            let escapes: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            prop_assert_eq!(read(format!("[\"{escapes}\"]").as_bytes()), json!([String::from_utf16_lossy(&units)]));
        }

        #[test]
        fn any_bytes_in_a_text_become_text(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let plain: Vec<u8> = bytes.into_iter().filter(|byte| !matches!(byte, b'"' | b'\\')).collect();
            let line = [b"[\"", &plain[..], b"\"]"].concat();
            prop_assert_eq!(read(&line), json!([String::from_utf8_lossy(&plain)]));
        }
    }
}
