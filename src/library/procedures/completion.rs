//! What a beginning may become: names for whoever is filling in a form.

use std::collections::BTreeSet;

use crate::{
    domain::folded,
    library::{Library, LibraryError},
};

impl Library {
    /// The names of procedures that `beginning` may become: those that begin so first, then those with it in the middle.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn complete_procedure(&self, beginning: &str) -> Result<Vec<String>, LibraryError> {
        self.refresh()?;
        let names = self.database.read(|reader| reader.procedure_names(&self.user))?;
        Ok(completions(beginning, names))
    }

    /// The same for categories.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn complete_category(&self, beginning: &str) -> Result<Vec<String>, LibraryError> {
        self.refresh()?;
        let categories = self.database.read(|reader| reader.categories(&self.user))?;
        Ok(completions(beginning, categories))
    }
}

/// Which of `words` `beginning` may become, in whatever case it is written and with any kind of gap.
fn completions(beginning: &str, words: impl IntoIterator<Item = String>) -> Vec<String> {
    let wanted = form(beginning.trim());
    let words: BTreeSet<String> = words.into_iter().collect();
    let (mut begins, mut contains) = (Vec::new(), Vec::new());
    for word in words {
        match form(&word).find(&wanted) {
            Some(0) => begins.push(word),
            Some(_) => contains.push(word),
            None => {}
        }
    }
    begins.append(&mut contains);
    begins
}

fn form(text: &str) -> String {
    folded(text).to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(beginning: &str) -> Vec<String> {
        completions(beginning, ["text_clean", "clean_text", "clean", "größe", "archive"].map(str::to_owned))
    }

    #[test]
    fn what_begins_so_comes_before_what_has_it_inside() {
        assert_eq!(complete("cl"), ["clean", "clean_text", "text_clean"]);
        assert_eq!(complete("Clean T"), ["clean_text"]);
        assert_eq!(complete("clean-t"), ["clean_text"]);
        assert_eq!(complete("gro\u{308}ß"), ["größe"]);
        assert_eq!(complete("zzz"), Vec::<String>::new());
    }

    #[test]
    fn nothing_becomes_everything() {
        assert_eq!(complete(" ").len(), 5);
    }
}
