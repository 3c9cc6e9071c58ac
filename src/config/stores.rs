//! The stores of a home, for what looks after all of them.

use super::{Config, ConfigError, Start, paths, tenant, user};

impl Config {
    /// One configuration for each of the stores that a process started like that looks after: those of its tenant, else the
    /// home's own and those of every tenant. Where the home serves tenants only, its own are left out.
    ///
    /// # Errors
    /// As [`Config::load`], but for [`ConfigError::TenantRequired`].
    pub fn of_every_store(start: &Start) -> Result<Vec<Self>, ConfigError> {
        let own = match Self::load(start) {
            Err(ConfigError::TenantRequired { .. }) => None,
            loaded => Some(loaded?),
        };
        if own.as_ref().is_some_and(|own| own.tenant.is_some()) {
            return Ok(own.into_iter().collect());
        }
        let tenants = tenant::all(&paths::resolve_home(start.home.as_deref())?).into_iter();
        let of_tenants = tenants.map(|name| Self::load(&Start { tenant: Some(name), ..start.clone() }));
        own.map(Ok).into_iter().chain(of_tenants).collect()
    }
}

impl Start {
    /// The same with everything said: what the environment says is not there for who starts a process later.
    ///
    /// # Errors
    /// [`ConfigError`] where the home, the user or the tenant can't be what is said.
    pub fn resolved(&self) -> Result<Self, ConfigError> {
        Ok(Self {
            home: Some(paths::resolve_home(self.home.as_deref())?),
            user: Some(user::resolve(self.user.as_deref())?),
            tenant: tenant::resolve(self.tenant.as_deref())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn stores(home: &Path, tenant: Option<&str>) -> Vec<Option<String>> {
        let start = Start { home: Some(home.to_owned()), user: None, tenant: tenant.map(str::to_owned) };
        Config::of_every_store(&start).unwrap().into_iter().map(|config| config.tenant).collect()
    }

    #[test]
    fn a_home_has_its_own_stores_and_those_of_its_tenants() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(stores(home.path(), None), [None]);
        for name in ["zeta", "acme", "No Tenant"] {
            fs::create_dir_all(home.path().join("tenants").join(name)).unwrap();
        }
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(stores(home.path(), None), [None, named("acme"), named("zeta")]);
        assert_eq!(stores(home.path(), Some("zeta")), [named("zeta")]);
        fs::write(home.path().join("config.toml"), "require_tenant = true\n").unwrap();
        assert_eq!(stores(home.path(), None), [named("acme"), named("zeta")]);
    }
}
