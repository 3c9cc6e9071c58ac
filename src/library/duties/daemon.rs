//! Keeping a whole home, with all its tenants, until somebody ends it.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::Duties;
use crate::{
    config::{Config, ConfigError, Start},
    domain::{Hinted as _, Keeper},
    library::{LibraryError, Services, Starters, home::DATABASE},
    storage::StorageError,
};

/// How often it is looked for new tenants, and for stores that could not be opened before.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The stores of the home itself, or of a tenant, that are kept.
struct Kept {
    services: Arc<Services>,
    duties: Duties,
}

/// Which stores: of the home itself, or of a tenant.
type Place = Option<String>;

/// The stores that `start` names: those of its tenant, else the home's own and those of every tenant. Its own are left out
/// where it has none and has tenants: nobody wants them.
///
/// # Errors
/// [`ConfigError`].
pub fn stores_to_keep(start: &Start) -> Result<Vec<Config>, ConfigError> {
    let mut configs = Config::of_every_store(start)?;
    if configs.len() > 1 {
        configs.retain(|config| config.tenant.is_some() || config.stores().join(DATABASE).exists());
    }
    Ok(configs)
}

/// Keeps the stores that `start` names, until `asked` says that the process is asked to end, also those of tenants
/// that come later. Workers are processes of the program `worker`.
///
/// # Errors
/// Why none of them can be kept. What can't be later on is logged and tried again.
pub async fn keep_home(
    start: Start,
    starters: Starters,
    worker: &Path,
    asked: impl Future<Output = ()>,
) -> Result<(), LibraryError> {
    tokio::pin!(asked);
    let mut kept: BTreeMap<Place, Kept> = BTreeMap::new();
    let mut told: BTreeMap<Place, String> = BTreeMap::new();
    let mut is_first = true;
    loop {
        // Asked for first, so that a daemon that is still opening its stores ends in good order, too.
        let mut failed = tokio::select! {
            biased;
            () = &mut asked => break,
            failed = keep_more(&mut kept, &start, starters, worker) => failed,
        };
        if std::mem::take(&mut is_first) && kept.is_empty() {
            if let Some((_, error)) = failed.pop() {
                return Err(error);
            }
            tracing::info!("the home has no tenants yet; they are kept as soon as they are there");
        }
        told = tell(failed, &told);
        tokio::select! {
            () = &mut asked => break,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
    tracing::info!("asked to end");
    join_all(kept.into_values().map(|Kept { services, duties }| async move { duties.end(Some(&services)).await }))
        .await;
    Ok(())
}

/// Keeps what is not kept yet; why something can't be.
async fn keep_more(
    kept: &mut BTreeMap<Place, Kept>,
    start: &Start,
    starters: Starters,
    worker: &Path,
) -> Vec<(Place, LibraryError)> {
    let start = start.clone();
    let found = tokio::task::spawn_blocking(move || stores_to_keep(&start)).await;
    let found = found.map_err(|error| LibraryError::lost_task("looking for the stores of the home", &error));
    let configs = match found.and_then(|found| Ok(found?)) {
        Ok(configs) => configs,
        Err(error) => return vec![(None, error)],
    };
    let mut failed = Vec::new();
    for config in configs {
        let (place, stores) = (config.tenant.clone(), config.stores());
        if kept.contains_key(&place) {
            continue;
        }
        match open(config, starters, worker).await {
            Ok(services) => {
                tracing::info!(tenant = place, stores = %stores.display(), user = services.library().user(), "keeping");
                let opened = Arc::clone(&services);
                let duties = Duties::begin(Keeper::Daemon, async move { Some(opened) });
                kept.insert(place, Kept { services, duties });
            }
            Err(error) => failed.push((place, error)),
        }
    }
    failed
}

async fn open(config: Config, starters: Starters, worker: &Path) -> Result<Arc<Services>, LibraryError> {
    let services = Services::open(config, starters, worker.to_owned()).await?;
    let library = services.library();
    match library.read_only() {
        None => Ok(Arc::new(services)),
        Some(why) => Err(StorageError::ReadOnly { path: library.database_file(), why: why.to_owned() }.into()),
    }
}

/// Logs what went wrong, once for as long as it stays the same.
fn tell(failed: Vec<(Place, LibraryError)>, told: &BTreeMap<Place, String>) -> BTreeMap<Place, String> {
    let failed: BTreeMap<Place, String> = failed.into_iter().map(|(place, error)| (place, error.in_full())).collect();
    for (tenant, error) in failed.iter().filter(|(place, error)| told.get(*place) != Some(*error)) {
        tracing::warn!(tenant, error, "not kept at the moment; it is tried again");
    }
    failed
}
