//! The packages that code names: whether the user allows them, and in which versions.

use crate::{
    domain::{
        RuntimeKind,
        script::{Script, package},
    },
    library::{Library, LibraryError, Services, runs},
};

impl Services {
    /// The lock of the packages that `code` names, where it is for the second runtime or would be; nothing where it names none
    /// or the user does not allow that runtime.
    ///
    /// # Errors
    /// [`LibraryError::PackagesNotGranted`], or [`LibraryError::Packages`] when they can't be resolved.
    pub async fn lock_packages(
        &self,
        code: &str,
        runtime: Option<RuntimeKind>,
    ) -> Result<Option<String>, LibraryError> {
        // A comment that can't be read is told by the checks.
        let Ok(script) = Script::read(code) else { return Ok(None) };
        if script.dependencies.is_empty() || runtime == Some(RuntimeKind::Sandbox) {
            return Ok(None);
        }
        let config = self.blocking(Library::config).await?;
        if !config.python.enabled {
            return Ok(None);
        }
        runs::check_packages(&script, &config)?;
        if let Some(entry) = script.dependencies.iter().find(|entry| package(entry).is_none()) {
            let shown: String = entry.chars().take(60).collect();
            return Err(LibraryError::invalid_with_hint(
                format!("the code names `{shown}` as a dependency, which is no package of an index"),
                "write a name, perhaps with versions: `pandas`, `pillow>=11`",
            ));
        }
        let requires = script.requires_python.as_deref();
        Ok(Some(runs::packages(&config).resolve(&script.dependencies, requires).await?))
    }
}
