//! What procedures are called as skills: the specification has letters, digits and single hyphens, at most 64 of them.

use std::collections::BTreeSet;

/// The longest name that the specification allows, in characters.
pub const MOST_NAME_CHARS: usize = 64;

/// The name of each as a skill, no two alike. Which one keeps its name where two would share it follows from the names
/// alone: the one that needs no change, or else the first.
#[must_use]
pub fn skill_names(names: &[&str]) -> Vec<String> {
    let mapped: Vec<String> = names.iter().map(|name| mapped(name)).collect();
    let kept = names.iter().zip(&mapped).filter(|(name, mapped)| **name == mapped.as_str());
    let mut taken: BTreeSet<String> = kept.map(|(_, mapped)| mapped.clone()).collect();
    let free = |mut wanted: String, name: &str| {
        if wanted == name {
            return wanted;
        }
        let mut number = 2;
        let stem = wanted.clone();
        while taken.contains(&wanted) {
            let ending = format!("-{number}");
            let kept: String = stem.chars().take(MOST_NAME_CHARS - ending.len()).collect();
            wanted = kept.trim_end_matches('-').to_owned() + &ending;
            number += 1;
        }
        taken.insert(wanted.clone());
        wanted
    };
    let mut free = free;
    mapped.into_iter().zip(names).map(|(mapped, name)| free(mapped, name)).collect()
}

fn mapped(name: &str) -> String {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c.is_alphabetic() { c } else { '-' })
        .collect();
    let joined = plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let short: String = joined.chars().take(MOST_NAME_CHARS).collect();
    let short = short.trim_end_matches('-');
    if short.is_empty() { "skill".to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mapped_without_clashes() {
        assert_eq!(
            skill_names(&["clean_text", "clean-text", "clean__text"]),
            ["clean-text-2", "clean-text", "clean-text-3"]
        );
        assert_eq!(skill_names(&["_a_", "größe_1", "__"]), ["a", "größe-1", "skill"]);
        let long = "a_".repeat(40);
        let names = skill_names(&[&long, &(long.clone() + "b")]);
        assert!(names.iter().all(|name| name.chars().count() <= MOST_NAME_CHARS) && names[0] != names[1], "{names:?}");
    }
}
