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
    lists_all: bool,
}

/// A word that chooses tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// What agents need.
    Default,
    /// Every tool.
    All,
    /// Every tool of a group.
    Of(Toolset),
}

impl Choice {
    /// The words there are.
    #[must_use]
    pub fn words() -> Vec<&'static str> {
        let groups = Toolset::ALL.iter().map(|toolset| toolset.as_str());
        ["default", "all"].into_iter().chain(groups).collect()
    }

    /// The choice of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "default" => Some(Self::Default),
            "all" => Some(Self::All),
            _ => Toolset::ALL.into_iter().find(|toolset| toolset.as_str() == word).map(Self::Of),
        }
    }

    fn takes(self, entry: &Entry) -> bool {
        match self {
            Self::Default => entry.by_default,
            Self::All => true,
            Self::Of(toolset) => entry.toolset == toolset,
        }
    }
}

/// Which tools are shown.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// What any of these takes; the default when empty.
    pub choices: Vec<Choice>,
    /// Only tools that change nothing.
    pub read_only: bool,
    /// Procedures that have earned it as tools of their own, too.
    pub procedure_tools: bool,
    /// Procedures with a template as prompts.
    pub template_prompts: bool,
}

impl Catalog {
    /// The tools that `selection` leaves. Where nothing was chosen all are there, and those are listed that agents need: a
    /// program that knows what it calls needs no list.
    #[must_use]
    pub fn new(selection: &Selection) -> Self {
        let is_default = selection.choices.iter().all(|choice| *choice == Choice::Default);
        let is_chosen = |entry: &Entry| is_default || selection.choices.iter().any(|choice| choice.takes(entry));
        let shown = |entry: Entry| if selection.read_only { entry.reading() } else { Some(entry) };
        let abridged = |entry: Entry| if is_default { entry.abridged() } else { entry };
        let entries = tools::all().into_iter().filter(is_chosen).filter_map(shown).map(abridged).collect();
        Self { entries, lists_all: !is_default }
    }

    /// The tools that are listed.
    pub fn listed(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| self.lists_all || entry.by_default)
    }

    /// The arguments that may hold something large, for whoever reads calls.
    #[must_use]
    pub fn large_arguments(&self) -> Vec<LargeArgument> {
        let of = |entry: &Entry| Some(LargeArgument::new(&entry.listed.name, entry.large_argument?));
        self.entries.iter().filter_map(of).collect()
    }

    /// The tool of this name, listed or not.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.listed.name == name)
    }

    /// What to do about the name of a tool that is not shown: look for it elsewhere, or switch it on.
    #[must_use]
    pub fn advice(&self, name: &str) -> String {
        let hidden = tools::all().into_iter().find(|entry| entry.listed.name == name);
        match (hidden, self.closest(name)) {
            (Some(_), _) => {
                "it is switched off: `repertoire serve` without `--toolsets` and `--read-only` has it".to_owned()
            }
            (None, Some(closest)) => format!("the closest name is `{closest}`"),
            (None, None) => "tools/list shows what there is".to_owned(),
        }
    }

    /// The name that is most like `name`.
    fn closest(&self, name: &str) -> Option<&str> {
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
