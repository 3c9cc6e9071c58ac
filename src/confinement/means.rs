//! What walls are made of here: namespaces where the system lets an ordinary user have them, and otherwise what does without.

use serde::{Deserialize, Serialize};

/// What walls are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Namespaces, and everything else beside them.
    #[default]
    Namespaces,
    /// Landlock, the filter of system calls and limits: for systems that refuse namespaces to ordinary users.
    Landlock,
}

/// What is said where something was executed behind walls of these means, if that is to be said.
#[must_use]
pub fn remark(means: Means) -> Option<&'static str> {
    (means == Means::Landlock).then_some(
        "behind walls without namespaces, which this system refuses: Landlock and a filter of system calls hold it \
         (docs/policy.md says what they do not)",
    )
}

#[cfg(target_os = "linux")]
pub use found::{Found, find_out, known};

#[cfg(not(target_os = "linux"))]
#[must_use]
pub const fn known() -> Means {
    Means::Namespaces
}

#[cfg(target_os = "linux")]
mod found {
    use std::{ffi::OsStr, io, time::Duration};

    use tokio::sync::OnceCell;

    use super::Means;
    use crate::confinement::{Bounds, confined};

    /// Does nothing, successfully. Where there is no such program, walls stand around that.
    const PROGRAM: &str = "true";
    /// It takes some milliseconds.
    const PATIENCE: Duration = Duration::from_secs(20);

    static FOUND: OnceCell<Found> = OnceCell::const_new();

    /// What walls are made of here, and why not of more.
    #[derive(Debug, Clone)]
    pub struct Found {
        pub means: Means,
        /// What the system said to namespaces, where it refuses them.
        pub why: Option<String>,
    }

    /// Finds it out, once, by having walls built: what a system says of itself is not what it lets happen.
    ///
    /// # Errors
    /// What the system says to starting anything.
    pub async fn find_out() -> io::Result<&'static Found> {
        FOUND.get_or_try_init(try_namespaces).await
    }

    /// What was found out, where anything was started yet.
    #[must_use]
    pub fn known() -> Means {
        FOUND.get().map_or(Means::Namespaces, |found| found.means)
    }

    async fn try_namespaces() -> io::Result<Found> {
        let bounds = Bounds { means: Means::Namespaces, ..Bounds::default() };
        let mut tried = confined::start(OsStr::new(PROGRAM), [] as [&str; 0], &bounds, |_| {})?;
        let ended = tokio::time::timeout(PATIENCE, tried.wait()).await;
        tried.end();
        let _ = tried.clear_up().await;
        match ended {
            Ok(Err(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!(%error, "walls are built without namespaces");
                Ok(Found { means: Means::Landlock, why: Some(error.to_string()) })
            }
            Ok(Err(error)) => Err(error),
            // Nobody knows better what is the matter than whoever starts the next.
            Ok(Ok(_)) | Err(_) => Ok(Found { means: Means::Namespaces, why: None }),
        }
    }
}
