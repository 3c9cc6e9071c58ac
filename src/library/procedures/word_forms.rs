//! Forms of a word: `deploys`, `deployed` and `deploying` are `deploy`.
//!
//! More careful than the index, which only finds: there, `meaning` is `mean`.

/// Words that end as if they were a form of another, which they are not, or which means something else.
const OWN: [&str; 45] = [
    "anything",
    "atlas",
    "being",
    "bring",
    "building",
    "canvas",
    "ceiling",
    "dropping",
    "during",
    "evening",
    "everything",
    "feed",
    "feeling",
    "gas",
    "going",
    "hundred",
    "indeed",
    "king",
    "kubernetes",
    "lens",
    "listing",
    "meaning",
    "meeting",
    "morning",
    "need",
    "news",
    "nothing",
    "offspring",
    "outing",
    "plus",
    "process",
    "red",
    "ring",
    "sacred",
    "seed",
    "series",
    "sibling",
    "sing",
    "something",
    "speed",
    "spring",
    "string",
    "thing",
    "wedding",
    "wing",
];
/// What makes another word of one that still has to do with it.
const DERIVING: [&str; 5] = ["ment", "ation", "ion", "er", "or"];
/// Shorter beginnings say too little for that.
const SHORTEST_ROOT: usize = 4;
const VOWELS: &[u8] = b"aeiouy";

/// What the forms of a word have in common, of a word without case and accents.
pub(super) fn stem(word: &str) -> &str {
    if word.len() < 4 || OWN.contains(&word) || !word.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return word;
    }
    let singular = singular(word);
    if OWN.contains(&singular) {
        return singular;
    }
    let present = ["ing", "ed"]
        .iter()
        .find_map(|ending| singular.strip_suffix(ending))
        .filter(|rest| rest.len() >= 3 && rest.bytes().any(|letter| VOWELS.contains(&letter)));
    let stem = present.map_or(singular, undoubled);
    match stem.as_bytes() {
        [_, _, _, .., b'e'] => &stem[..stem.len() - 1],
        [_, _, .., before, b'y'] if !VOWELS.contains(before) && stem.len() > 3 => &stem[..stem.len() - 1],
        // `copied` without its ending.
        [_, _, .., before, b'i'] if !VOWELS.contains(before) && present.is_some() => &stem[..stem.len() - 1],
        _ => stem,
    }
}

fn singular(word: &str) -> &str {
    if word.len() > 4
        && let Some(rest) = word.strip_suffix("ies")
    {
        return rest;
    }
    if ["sses", "shes", "ches", "xes", "zes"].iter().any(|ending| word.ends_with(ending)) {
        return &word[..word.len() - 2];
    }
    if ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) {
        word
    } else {
        word.strip_suffix('s').unwrap_or(word)
    }
}

/// `run` of `runn`; `call` stays.
fn undoubled(stem: &str) -> &str {
    match stem.as_bytes() {
        [.., first, second] if first == second && !b"lsz".contains(second) => &stem[..stem.len() - 1],
        _ => stem,
    }
}

/// Stems of words that are made of this one, as `deployment` of `deploy`, and of the one that it is made of.
pub(super) fn relatives(stem_of_word: &str) -> Vec<String> {
    if !stem_of_word.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return Vec::new();
    }
    let roots = DERIVING.iter().filter_map(|ending| stem_of_word.strip_suffix(ending));
    let mut relatives: Vec<String> = roots.filter(|root| root.len() >= SHORTEST_ROOT).map(str::to_owned).collect();
    if stem_of_word.len() >= SHORTEST_ROOT {
        relatives.extend(DERIVING.iter().map(|ending| format!("{stem_of_word}{ending}")));
    }
    relatives
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_that_word() {
        for forms in [
            &["deploy", "deploys", "deployed", "deploying"][..],
            &["query", "queries"],
            &["copy", "copied", "copies", "copying"],
            &["create", "creates", "created", "creating"],
            &["run", "running"],
            &["compress", "compresses", "compressed", "compressing"],
            &["branch", "branches"],
            &["string", "strings"],
            &["file", "files"],
            &["install", "installing", "installed"],
        ] {
            for form in forms {
                assert_eq!(stem(form), stem(forms[0]), "{form}");
            }
        }
    }

    #[test]
    fn words_that_only_look_like_forms_are_their_own() {
        for (one, other) in [
            ("meaning", "mean"),
            ("string", "str"),
            ("during", "dure"),
            ("status", "statu"),
            ("need", "ne"),
            ("news", "new"),
            ("database", "data"),
            ("report", "repair"),
        ] {
            assert_ne!(stem(one), stem(other), "{one} {other}");
        }
        assert_eq!([stem("naïve"), stem("123s"), stem("ed"), stem("")], ["naïve", "123s", "ed", ""]);
    }

    #[test]
    fn what_is_made_of_a_word_has_to_do_with_it() {
        assert!(relatives(stem("deploy")).contains(&stem("deployments").to_owned()));
        assert!(relatives(stem("compression")).contains(&stem("compressed").to_owned()));
        assert!(relatives("csv").is_empty() && relatives("備份").is_empty());
    }
}
