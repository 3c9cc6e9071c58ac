//! What is done with a home in each state that its stores can be in. Absent is not empty: what one store has lost comes
//! back from the other, and where neither knows, nobody is told that there is nothing.

use crate::versions::Main;

/// What the index knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// Nothing was ever indexed: the database is new.
    New,
    /// The procedures of a commit.
    Knows,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Make an empty history: this home is new.
    Begin,
    /// Index what the history has.
    Follow,
    /// Write `main` anew: it leads to the newest commit that is known.
    PointMain,
    /// Make the history anew of what the index has.
    Restore,
    /// Say that something was committed once and that nobody knows what was last.
    Lost,
    /// Say that the newest commit can't be read; what the index knows can.
    Damaged,
}

/// What to do with a home whose history stands at `main`, where `has_newest` says whether a commit is known that `main`
/// could lead to.
pub const fn decide(main: &Main, has_newest: bool, index: Index) -> Step {
    match (main, has_newest, index) {
        (Main::At(_), _, _) => Step::Follow,
        (Main::Absent, _, Index::New) | (Main::Empty, false, Index::New) => Step::Begin,
        (Main::Absent, _, Index::Knows) | (Main::Empty | Main::Lost, false, Index::Knows) => Step::Restore,
        (Main::Empty | Main::Lost, true, _) => Step::PointMain,
        (Main::Lost, false, Index::New) => Step::Lost,
        (Main::Damaged { .. }, _, _) => Step::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_way_out_and_none_is_taken_for_an_empty_home() {
        let at = || Main::At("c".to_owned());
        let damaged = || Main::Damaged { commit: "c".to_owned(), why: "gone".to_owned(), is_doubtful: false };
        let (new, knows) = (Index::New, Index::Knows);
        for (main, has_newest, index, step) in [
            // Both are new, or the history was never used: the only states in which a home begins.
            (Main::Absent, false, new, Step::Begin),
            (Main::Absent, true, new, Step::Begin),
            (Main::Empty, false, new, Step::Begin),
            // All is well, or the database is gone: the index is made of the history.
            (at(), false, new, Step::Follow),
            (at(), true, new, Step::Follow),
            (at(), false, knows, Step::Follow),
            (at(), true, knows, Step::Follow),
            // `main` is gone, and the index, a log or the objects know the commit.
            (Main::Empty, true, new, Step::PointMain),
            (Main::Empty, true, knows, Step::PointMain),
            (Main::Lost, true, new, Step::PointMain),
            (Main::Lost, true, knows, Step::PointMain),
            // The history is gone, and the index has the text.
            (Main::Absent, false, knows, Step::Restore),
            (Main::Absent, true, knows, Step::Restore),
            (Main::Empty, false, knows, Step::Restore),
            (Main::Lost, false, knows, Step::Restore),
            // Nobody knows, or a person has to look: said, with the way out.
            (Main::Lost, false, new, Step::Lost),
            (damaged(), false, new, Step::Damaged),
            (damaged(), true, new, Step::Damaged),
            (damaged(), false, knows, Step::Damaged),
            (damaged(), true, knows, Step::Damaged),
        ] {
            assert_eq!(decide(&main, has_newest, index), step, "{main:?}, {has_newest}, {index:?}");
        }
    }
}
