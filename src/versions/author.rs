//! Who made a change, as git has it: a name and an address.
//!
//! git takes any text for a name but what would break the line of a commit that it stands in, and libgit2 refuses that.
//! A user may be called nearly anything, so names are made to fit here.

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author<'a> {
    /// The program, of its own accord.
    Program,
    /// The user of the process, by the name that the process has for them.
    User(&'a str),
}

/// The name of the program, which commits for everybody.
pub const PROGRAM: &str = "Repertoire";
pub const PROGRAM_ADDRESS: &str = "repertoire@localhost";

/// What a user is called of whose name nothing is left.
const UNNAMED: &str = "unknown";
/// What git takes off both ends of a name, beside white space.
const TRIMMED: [char; 9] = ['.', ',', ':', ';', '<', '>', '"', '\\', '\''];

impl Author<'_> {
    /// The name in commits; never empty, and the user's own wherever git can have it.
    pub fn name(self) -> String {
        match self {
            Self::Program => PROGRAM.to_owned(),
            Self::User(user) => {
                let kept: String = user.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
                let name = kept.trim_matches(|c: char| c.is_whitespace() || TRIMMED.contains(&c));
                if name.is_empty() { UNNAMED.to_owned() } else { name.to_owned() }
            }
        }
    }

    /// The address in commits. git wants one, and hosting services take it for the person, so each user has another.
    ///
    /// Nobody has told us one. `.invalid` never is a domain (RFC 2606), so no mail goes anywhere and no account of a
    /// hosting service gets the commits of somebody who is only called the same.
    pub fn address(self) -> String {
        if self == Self::Program {
            return PROGRAM_ADDRESS.to_owned();
        }
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = self.name();
        let words = name.split(|c| !fits(c)).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        let local = words.trim_matches('.');
        format!("{}@repertoire.invalid", if local.is_empty() { UNNAMED } else { local })
    }
}

#[cfg(test)]
mod tests {
    use git2::Signature;
    use proptest::prelude::*;

    use super::*;

    fn written(user: &str) -> (String, String) {
        let author = Author::User(user);
        let signature = Signature::now(&author.name(), &author.address()).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(signature.name_bytes()), text(signature.email_bytes()))
    }

    #[test]
    fn a_user_is_called_what_they_are_called() {
        for (user, name, address) in [
            ("ada", "ada", "ada@repertoire.invalid"),
            ("Ada Lovelace", "Ada Lovelace", "Ada-Lovelace@repertoire.invalid"),
            ("Zoë", "Zoë", "Zoë@repertoire.invalid"),
            ("ada@example.org", "ada@example.org", "ada-example.org@repertoire.invalid"),
            ("O'Neill, J.", "O'Neill, J", "O-Neill-J@repertoire.invalid"),
        ] {
            assert_eq!(written(user), (name.to_owned(), address.to_owned()));
        }
    }

    #[test]
    fn a_name_can_not_break_the_line_that_it_stands_in() {
        for (user, name, address) in [
            ("ada <root@example.org>", "ada root@example.org", "ada-root-example.org@repertoire.invalid"),
            ("ada\nparent 0000", "adaparent 0000", "adaparent-0000@repertoire.invalid"),
            ("a\0da", "ada", "ada@repertoire.invalid"),
            ("😀", "😀", "unknown@repertoire.invalid"),
        ] {
            assert_eq!(written(user), (name.to_owned(), address.to_owned()));
        }
        for user in ["", "  ", "\n", "<>", "<", "...", "\"'\\", "\u{a0}", ". ."] {
            assert_eq!(written(user), ("unknown".to_owned(), "unknown@repertoire.invalid".to_owned()), "{user:?}");
        }
    }

    proptest! {
        #[test]
        fn git_takes_whoever_comes_and_changes_nothing(user in "\\PC*|[<>\"'.,:;\\\\ \n\r\t\0a]*") {
            let author = Author::User(&user);
            prop_assert_eq!(written(&user), (author.name(), author.address()));
        }
    }
}
