//! Which file names something that another file defines, read from the syntax trees.
//!
//! A `pub use` passes a name on and is no import; whoever uses the name imports the file that defines it. Tests import
//! what they like.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::{
    Attribute, File, ImplItem, Item, Meta, UseTree, Visibility,
    visit::{self, Visit},
};

/// One file's use of a name that another defines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The file, as the modules on the way to it.
    pub from: Vec<String>,
    /// The file that defines the name.
    pub to: Vec<String>,
    pub name: String,
}

impl Import {
    /// The same as seen from inside a folder, where both are in it.
    pub fn within(&self, folder: &str) -> Option<Self> {
        let inside = |path: &[String]| Some(path[1..].to_vec()).filter(|rest| path[0] == folder && !rest.is_empty());
        Some(Self { from: inside(&self.from)?, to: inside(&self.to)?, name: self.name.clone() })
    }

    /// The same between the outermost folders.
    pub fn by_folder(&self) -> Self {
        Self { from: self.from[..1].to_vec(), to: self.to[..1].to_vec(), name: self.name.clone() }
    }
}

/// Which crates each file names, by the first word of its paths.
pub fn crates(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = Modules::new();
    read(folder, &mut Vec::new(), &mut modules);
    let first = |path: &Vec<String>| path.first().filter(|_| path.len() > 1).cloned();
    let named = modules.into_iter().map(|(file, module)| {
        let passed_on = module.passed_on.values().chain(&module.globs).filter_map(first);
        (file.join("/"), module.paths.iter().filter_map(first).chain(passed_on).collect())
    });
    named.collect()
}

/// A module that has a file.
#[derive(Default)]
struct Module {
    /// Names that it passes on, with where they come from.
    passed_on: BTreeMap<String, Vec<String>>,
    /// Modules all of whose names it passes on.
    globs: Vec<Vec<String>>,
    /// Names that it has for itself.
    own: BTreeMap<String, Vec<String>>,
    /// Everything that it names, as written.
    paths: BTreeSet<Vec<String>>,
}

type Modules = BTreeMap<Vec<String>, Module>;

/// All imports between the files below `folder`, which is the root of a crate.
pub fn imports(folder: &Path) -> Vec<Import> {
    let mut modules = Modules::new();
    read(folder, &mut Vec::new(), &mut modules);
    let mut found = BTreeSet::new();
    for (from, module) in &modules {
        for path in &module.paths {
            let Some((to, name)) = resolve(&modules, from, path, 0) else { continue };
            // The root declares the modules and has nothing of its own that they could need.
            if to != *from && !to.is_empty() && !from.is_empty() {
                found.insert(Import { from: from.clone(), to, name });
            }
        }
    }
    found.into_iter().collect()
}

fn read(folder: &Path, module: &mut Vec<String>, modules: &mut Modules) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            module.push(stem);
            read(&path, module, modules);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") && !stem.ends_with("tests") {
            let is_root = module.is_empty() && (stem == "lib" || stem == "main");
            let mut name = module.clone();
            if stem != "mod" && !is_root {
                name.push(stem.clone());
            }
            // The program, and what is for tests, is above the library and nobody imports it.
            let is_for_tests = name.iter().any(|part| part == "tests" || part == "borders");
            if is_root && stem == "main" || is_for_tests {
                continue;
            }
            let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
            modules.insert(name.clone(), read_file(&file));
        }
    }
}

fn read_file(file: &File) -> Module {
    let mut module = Module::default();
    module.visit_file(file);
    module
}

/// What is there for tests only, those of `fuzz/` included.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let condition = list.tokens.to_string();
        let is_for_tests = condition.starts_with("test") || condition == "any (test , fuzzing)";
        attribute.path().is_ident("cfg") && is_for_tests
    })
}

impl Module {
    fn add_use(&mut self, tree: &UseTree, before: &[String], is_passed_on: bool) {
        let mut path = before.to_vec();
        let (name, alias) = match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                return self.add_use(&inner.tree, &path, is_passed_on);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|inner| self.add_use(inner, &path, is_passed_on));
            }
            UseTree::Glob(_) if is_passed_on => return self.globs.push(path),
            // Everything of it may be used.
            UseTree::Glob(_) => {
                path.push("*".to_owned());
                self.paths.insert(path);
                return;
            }
            UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(rename) => (rename.ident.to_string(), rename.rename.to_string()),
        };
        let alias = if name == "self" { path.last().cloned().unwrap_or_default() } else { alias };
        if name != "self" {
            path.push(name);
        }
        if is_passed_on {
            self.passed_on.insert(alias, path);
        } else {
            self.own.insert(alias, path.clone());
            self.paths.insert(path);
        }
    }

    /// Paths inside macros, which have no syntax tree.
    fn add_tokens(&mut self, tokens: proc_macro2::TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.paths.insert(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                proc_macro2::TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.paths.insert(std::mem::take(&mut path));
                    colons = 0;
                    if let proc_macro2::TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                }
            }
        }
        self.paths.insert(path);
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(inner) if is_test(&inner.attrs) => {}
            Item::Fn(function) if is_test(&function.attrs) => {}
            Item::Impl(block) if is_test(&block.attrs) => {}
            Item::Use(using) if is_test(&using.attrs) => {}
            Item::Use(using) => {
                self.add_use(&using.tree, &[], !matches!(using.vis, Visibility::Inherited));
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(function) if is_test(&function.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.add_tokens(called.tokens.clone());
        visit::visit_macro(self, called);
    }
}

/// The file that defines what `path` names in the module `from`, and the name there. `None` for what other crates
/// define, for what is local, and for a module as a whole.
fn resolve(modules: &Modules, from: &[String], path: &[String], passed: usize) -> Option<(Vec<String>, String)> {
    // Names that are passed on round and round come from nowhere.
    if passed > 10 {
        return None;
    }
    let mut at = from.to_vec();
    let mut rest = path;
    let first = rest.first()?;
    match first.as_str() {
        "crate" | "repertoire" => at.clear(),
        "super" => {
            at.pop()?;
        }
        "self" | "Self" => {}
        name => {
            let module = &modules[from];
            let mut child = from.to_vec();
            child.push(name.to_owned());
            if let Some(target) = module.own.get(name).or_else(|| module.passed_on.get(name)) {
                if target.first().is_some_and(|target| target == name)
                    && target.len() == 1
                    && !modules.contains_key(&child)
                {
                    return None;
                }
                if target[..] == path[..1] {
                    at = child;
                } else {
                    let whole: Vec<String> = target.iter().chain(&rest[1..]).cloned().collect();
                    return if whole == path { None } else { resolve(modules, from, &whole, passed + 1) };
                }
            } else if modules.contains_key(&child) {
                at = child;
            } else {
                return None;
            }
        }
    }
    rest = &rest[1..];
    while rest.first().is_some_and(|next| next == "super") {
        at.pop()?;
        rest = &rest[1..];
    }
    while let Some(next) = rest.first() {
        let mut child = at.clone();
        child.push(next.clone());
        if modules.contains_key(&child) {
            at = child;
            rest = &rest[1..];
            continue;
        }
        let module = modules.get(&at)?;
        if let Some(target) = module.passed_on.get(next) {
            let whole: Vec<String> = target.iter().chain(&rest[1..]).cloned().collect();
            return resolve(modules, &at, &whole, passed + 1);
        }
        for glob in &module.globs {
            let whole: Vec<String> = glob.iter().chain(rest).cloned().collect();
            if let Some(found) = resolve(modules, &at, &whole, passed + 1) {
                return Some(found);
            }
        }
        // A private `use` is seen by the children of a module.
        if let Some(target) = module.own.get(next) {
            let whole: Vec<String> = target.iter().chain(&rest[1..]).cloned().collect();
            return resolve(modules, &at, &whole, passed + 1);
        }
        return Some((at, next.clone()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(files: &[(&str, &str)]) -> Modules {
        let parse = |(name, text): &(&str, &str)| {
            let name = name.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            (name, read_file(&syn::parse_file(text).unwrap()))
        };
        files.iter().map(parse).collect()
    }

    fn found(modules: &Modules, from: &str) -> Vec<String> {
        let from: Vec<String> = from.split('/').map(str::to_owned).collect();
        let resolved = modules[&from].paths.iter().filter_map(|path| resolve(modules, &from, path, 0));
        let others = resolved.filter(|(to, _)| *to != from).map(|(to, name)| format!("{}:{name}", to.join("/")));
        others.collect::<BTreeSet<_>>().into_iter().collect()
    }

    #[test]
    fn names_are_followed_to_the_file_that_defines_them() {
        let modules = modules(&[
            ("", "pub mod a; pub mod b;"),
            ("a", "mod inner; pub use inner::Thing; pub struct Own;"),
            ("a/inner", "pub struct Thing; use super::Own;"),
            (
                "b",
                "use crate::a::{self, Thing as Other}; fn f() { let _ = format!(\"{}\", a::Own::new()); g::<Other>() }",
            ),
        ]);
        assert_eq!(found(&modules, "b"), ["a/inner:Thing", "a:Own"]);
        assert_eq!(found(&modules, "a/inner"), ["a:Own"]);
        assert_eq!(found(&modules, "a"), Vec::<String>::new());
    }

    #[test]
    fn tests_may_import_what_they_like() {
        let modules = modules(&[
            ("", "mod a; mod b;"),
            ("a", "pub fn f() {}"),
            ("b", "#[cfg(test)] mod tests { use crate::a::f; }"),
        ]);
        assert_eq!(found(&modules, "b"), Vec::<String>::new());
    }
}
