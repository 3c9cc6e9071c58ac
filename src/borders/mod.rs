//! The borders that texts from outside cross, each as a function that must hold for any bytes.
//!
//! For `fuzz/`, which tries what nobody thought of, and for the test below, which tries everything that was ever found
//! again. A border holds when nothing panics and what it let in is what it says: code that was compiled is Python, what
//! was read is written and read alike.

mod checks;

pub use checks::{cron, definition, policy, protocol_line, skill_file, template, trailers};

/// A border, and the name of its folder in `fuzz/corpus` and of its target.
pub type Border = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: &[Border] = &[
    ("cron", cron),
    ("definition", definition),
    ("policy", policy),
    ("protocol_line", protocol_line),
    ("skill_file", skill_file),
    ("template", template),
    ("trailers", trailers),
];

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::{prelude::*, sample::Index};

    use super::*;

    /// The inputs in `fuzz/corpus` for a border.
    fn corpus(name: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| fs::read(file).unwrap()).collect()
    }

    #[test]
    fn every_border_holds_for_all_that_was_found() {
        for (name, check) in ALL {
            let inputs = corpus(name);
            assert!(!inputs.is_empty(), "{name}");
            for input in inputs {
                println!("{name}: {}", String::from_utf8_lossy(&input));
                check(&input);
            }
        }
    }

    /// A change of some bytes.
    #[derive(Debug, Clone)]
    enum Change {
        Set(Index, u8),
        Insert(Index, Vec<u8>),
        Remove(Index, Index),
        /// A part of it again, elsewhere.
        Repeat(Index, Index, Index),
    }

    fn change() -> impl Strategy<Value = Change> {
        let at = any::<Index>;
        let byte = prop_oneof![any::<u8>(), prop::sample::select(&b"{}[]\"'\\,:*/-.\n\r0129e\0"[..])];
        prop_oneof![
            (at(), byte.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
            (at(), prop::collection::vec(byte, 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
            (at(), at()).prop_map(|(from, to)| Change::Remove(from, to)),
            (at(), at(), at()).prop_map(|(from, to, at)| Change::Repeat(from, to, at)),
        ]
    }

    fn apply(change: &Change, bytes: &mut Vec<u8>) {
        let places = bytes.len() + 1;
        let part = |one: &Index, other: &Index| {
            let (one, other) = (one.index(places), other.index(places));
            one.min(other)..one.max(other)
        };
        match change {
            Change::Set(at, byte) => {
                if let Some(place) = bytes.get_mut(at.index(places)) {
                    *place = *byte;
                }
            }
            Change::Insert(at, inserted) => {
                let at = at.index(places);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Change::Remove(from, to) => drop(bytes.drain(part(from, to))),
            Change::Repeat(from, to, at) => {
                let repeated = bytes[part(from, to)].to_vec();
                let at = at.index(places);
                bytes.splice(at..at, repeated);
            }
        }
    }

    proptest! {
        #[test]
        fn every_border_holds_for_what_is_nearly_that(
            border in prop::sample::select(ALL), input in any::<Index>(), changes in prop::collection::vec(change(), 1..6),
        ) {
            let (name, check) = border;
            let inputs = corpus(name);
            let mut bytes = inputs[input.index(inputs.len())].clone();
            changes.iter().for_each(|change| apply(change, &mut bytes));
            check(&bytes);
        }
    }

    #[test]
    fn every_border_has_a_target() {
        let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
        let mut files: Vec<_> = fs::read_dir(targets)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        files.sort();
        assert_eq!(files, ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
