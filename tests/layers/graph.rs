//! Arrows between folders, and circles of imports.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Import;

/// How many imports are shown as examples of an arrow.
const EXAMPLES: usize = 4;

/// From where to where, with some of the imports that it stands for.
pub type Arrows = BTreeMap<(String, String), Vec<String>>;

/// The arrows between the outermost folders.
pub fn arrows(imports: &[Import]) -> Arrows {
    let mut arrows: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for import in imports {
        if let (Some(from), Some(to)) = (import.from.first(), import.to.first())
            && from != to
        {
            let example = format!("{} ({})", import.from.join("/"), import.name);
            arrows.entry((from.clone(), to.clone())).or_default().insert(example);
        }
    }
    arrows.into_iter().map(|(arrow, examples)| (arrow, examples.into_iter().take(EXAMPLES).collect())).collect()
}

/// The groups of two or more files that reach each other.
pub fn circles(imports: &[Import]) -> BTreeSet<Vec<String>> {
    let mut to: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for import in imports {
        let (from, target) = (import.from.join("/"), import.to.join("/"));
        to.entry(target.clone()).or_default();
        if from != target {
            to.entry(from).or_default().insert(target);
        }
    }
    let reach: BTreeMap<&String, BTreeSet<&String>> = to.keys().map(|start| (start, reached(&to, start))).collect();
    let group = |(start, reached): (&&String, &BTreeSet<&String>)| -> Vec<String> {
        reached.iter().filter(|other| reach[*other].contains(*start)).map(|other| (*other).clone()).collect()
    };
    reach.iter().map(group).filter(|group| group.len() > 1).collect()
}

fn reached<'a>(to: &'a BTreeMap<String, BTreeSet<String>>, start: &'a String) -> BTreeSet<&'a String> {
    let (mut seen, mut open) = (BTreeSet::from([start]), vec![start]);
    while let Some(at) = open.pop() {
        open.extend(to[at].iter().filter(|next| seen.insert(next)));
    }
    seen
}

/// The imports that make a circle of files, as text.
pub fn arrows_within(circle: &[String], imports: &[Import]) -> Vec<String> {
    let mut names: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for import in imports {
        let (from, to) = (import.from.join("/"), import.to.join("/"));
        if circle.contains(&from) && circle.contains(&to) {
            names.entry((from, to)).or_default().push(&import.name);
        }
    }
    names.into_iter().map(|((from, to), names)| format!("{from} -> {to}: {}", names.join(", "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(from: &str, to: &str) -> Import {
        let parts = |path: &str| path.split('/').map(str::to_owned).collect();
        Import { from: parts(from), to: parts(to), name: "X".to_owned() }
    }

    #[test]
    fn a_circle_is_found_and_a_chain_is_none() {
        let chain = [import("a/x", "b/y"), import("b/y", "c/z"), import("a/x", "c/z")];
        assert!(circles(&chain).is_empty());
        let closed = [&chain[..], &[import("c/z", "a/x")]].concat();
        assert_eq!(circles(&closed), BTreeSet::from([["a/x", "b/y", "c/z"].map(str::to_owned).to_vec()]));
    }

    #[test]
    fn folders_may_be_in_a_circle_where_no_files_are() {
        let imports = [import("a/x", "b/y"), import("b/z", "a/w")];
        assert!(circles(&imports).is_empty());
        assert_eq!(circles(&imports.map(|import| import.by_folder())).len(), 1);
    }
}
