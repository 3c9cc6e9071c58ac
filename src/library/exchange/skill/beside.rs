//! The modules that stand beside a script.

use std::collections::BTreeSet;

use crate::{
    validation::command_line,
    versions::{Attached, Bundle},
};

/// Takes the modules that stand beside the script `file` out of what it `imports`, and puts in what these import. Whether
/// there were any.
pub fn follow(file: &str, bundle: &Bundle, imports: &mut BTreeSet<String>) -> bool {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut seen = BTreeSet::new();
    let mut open: Vec<String> = imports.iter().cloned().collect();
    while let Some(module) = open.pop() {
        let files: Vec<&Attached> = [folder, ""]
            .iter()
            .flat_map(|root| of_module(root, &module, bundle))
            .filter(|there| there.path != file)
            .collect();
        if files.is_empty() {
            continue;
        }
        imports.remove(&module);
        if !seen.insert(module) {
            continue;
        }
        for file in files {
            let Ok(text) = std::str::from_utf8(&file.bytes) else { continue };
            let found = command_line(text).map(|line| line.imports).unwrap_or_default();
            open.extend(found.iter().filter(|found| !seen.contains(*found)).cloned());
            imports.extend(found.into_iter().filter(|found| found != "." && !seen.contains(found)));
        }
    }
    !seen.is_empty()
}

/// The files of a module in a folder: `module.py`, or the package `module`.
fn of_module<'b>(root: &str, module: &str, bundle: &'b Bundle) -> impl Iterator<Item = &'b Attached> {
    let stem = if root.is_empty() { module.to_owned() } else { format!("{root}/{module}") };
    bundle.files().iter().filter(move |file| {
        let rest = file.path.strip_prefix(&stem);
        rest.is_some_and(|rest| rest == ".py" || (rest.starts_with('/') && rest.strip_suffix(".py").is_some()))
    })
}
