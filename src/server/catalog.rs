//! Which tools a server shows. What tools there are is said in [`tools`].

use super::{
    large_argument::LargeArgument,
    tool::{Entry, Toolset},
    tools,
};

/// Names that differ by less than this (Jaro-Winkler) are proposed for one another.
const SIMILAR_NAME: f64 = 0.8;
const MAX_COMPARED_CHARS: usize = 100;

/// The tools of a server.
pub struct Catalog {
    entries: Vec<Entry>,
}

/// Which tools are shown.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these groups; all when empty.
    pub toolsets: Vec<Toolset>,
    /// Only tools that change nothing.
    pub read_only: bool,
}

impl Catalog {
    /// The tools that `selection` leaves.
    #[must_use]
    pub fn new(selection: &Selection) -> Self {
        let is_chosen = |entry: &Entry| selection.toolsets.is_empty() || selection.toolsets.contains(&entry.toolset);
        let shown = |entry: Entry| if selection.read_only { entry.reading() } else { Some(entry) };
        Self { entries: tools::all().into_iter().filter(is_chosen).filter_map(shown).collect() }
    }

    /// The shown tools.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The arguments that may hold something large, for whoever reads calls.
    #[must_use]
    pub fn large_arguments(&self) -> Vec<LargeArgument> {
        let of = |entry: &Entry| Some(LargeArgument::new(&entry.listed.name, entry.large_argument?));
        self.entries.iter().filter_map(of).collect()
    }

    /// The tool of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.listed.name == name)
    }

    /// The name that is most like `name`.
    #[must_use]
    pub fn closest(&self, name: &str) -> Option<&str> {
        // Comparing takes as long as the names are, and what is long is like none.
        let name: String = name.chars().take(MAX_COMPARED_CHARS).collect();
        self.entries
            .iter()
            .map(|entry| (strsim::jaro_winkler(&name, &entry.listed.name), &*entry.listed.name))
            .filter(|(similarity, _)| *similarity >= SIMILAR_NAME)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, name)| name)
    }
}
