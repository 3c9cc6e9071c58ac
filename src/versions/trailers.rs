//! Trailers of a commit message: what the index must know and the files don't say.

use super::Annotation;
use crate::domain::{VersionKind, VersionNumber};

/// A higher number is none that any program gave: after it must come others.
const MAX_VERSION: VersionNumber = 1_000_000_000;

/// The message of a commit: the subject and, after a blank line, the trailers that `annotation` has.
pub fn format_message(subject: &str, annotation: &Annotation) -> String {
    let mut trailers = Vec::new();
    if let Some(version) = annotation.version {
        trailers.push(format!("Version: {version}"));
    }
    if let Some(kind) = annotation.kind {
        trailers.push(format!("Kind: {}", kind.as_str()));
    }
    if let Some(confidence) = annotation.confidence {
        trailers.push(format!("Confidence: {confidence:.2}"));
    }
    if !annotation.failing_examples.is_empty() {
        let numbers: Vec<String> = annotation.failing_examples.iter().map(ToString::to_string).collect();
        trailers.push(format!("Accepted-Failing-Examples: {}", numbers.join(", ")));
    }
    let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    if trailers.is_empty() { format!("{subject}\n") } else { format!("{subject}\n\n{}\n", trailers.join("\n")) }
}

/// The subject and what the last paragraph of `message` says in trailers. Anything malformed is ignored: people write
/// commit messages too.
pub fn parse_message(message: &str) -> (String, Annotation) {
    let subject = message.lines().next().unwrap_or_default().trim().to_owned();
    let mut annotation = Annotation::default();
    let body = message.trim_end();
    let last_paragraph = body.rsplit_once("\n\n").map_or("", |(_, last)| last);
    for line in last_paragraph.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key.trim() {
            "Version" => annotation.version = value.parse().ok().filter(|version| (1..=MAX_VERSION).contains(version)),
            "Kind" => annotation.kind = VersionKind::parse(value),
            "Confidence" => {
                annotation.confidence = value.parse().ok().filter(|value| (0.0..=1.0).contains(value));
            }
            "Accepted-Failing-Examples" => {
                annotation.failing_examples =
                    value.split(',').filter_map(|number| number.trim().parse().ok()).collect();
            }
            _ => {}
        }
    }
    (subject, annotation)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_message_reads_back(subject in "[a-zA-Z][ -~]{0,60}", version in proptest::option::of(1u32..100_000), hundredths in proptest::option::of(0u8..=100), failing_examples in proptest::collection::vec(1usize..100, 0..4)) {
            let annotation = Annotation {
                version,
                kind: version.map(|_| VersionKind::Rollback),
                confidence: hundredths.map(|hundredths| f64::from(hundredths) / 100.0),
                failing_examples,
            };
            let (read_subject, read) = parse_message(&format_message(&subject, &annotation));
            prop_assert_eq!(read_subject, subject.split_whitespace().collect::<Vec<_>>().join(" "));
            prop_assert_eq!(read, annotation);
        }

        #[test]
        fn any_message_is_read_without_a_panic(message in "\\PC*") {
            parse_message(&message);
        }
    }

    #[test]
    fn numbers_that_make_no_sense_are_no_trailers() {
        for value in ["4294967295", "4294967296", "1000000001", "99999999999999999999", "0", "-1", "1e3", "nan", "٣"] {
            let (_, read) = parse_message(&format!("Push\n\nVersion: {value}\nKind: magic\nConfidence: inf\n"));
            assert_eq!(read, Annotation::default(), "{value}");
        }
        assert_eq!(parse_message("Push\n\nVersion: 7\n").1.version, Some(7));
    }

    #[test]
    fn a_subject_can_not_smuggle_trailers() {
        let message = format_message("Remember x\n\nVersion: 99", &Annotation::default());
        assert_eq!(parse_message(&message).1, Annotation::default());
    }
}
