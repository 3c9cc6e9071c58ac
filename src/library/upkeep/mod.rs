//! Keeping a home from growing for ever: what is too old or too much goes, the log of the database is cut back, the history
//! is packed.
//!
//! One of the processes that serve a home does so, while the others serve: it holds a lock that the system drops when it
//! ends. All of it is done in small steps, so that nobody waits, and may be ended at any of them.

mod retention;
mod space;
mod turn;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    library::{Library, LibraryError, Services, runs::tidy_packages},
    storage::Kept,
    versions::PackRule,
};

use retention::Due;
use turn::Turn;

pub use retention::Taken;
pub use space::{Taking, Tidied};

/// How often it is looked whether there is something to do.
const INTERVAL: Duration = Duration::from_secs(1);
/// After a failure, which would only come again.
const INTERVAL_AFTER_FAILURE: Duration = Duration::from_mins(1);
/// Between two steps: everybody else goes first.
const BREATH: Duration = Duration::from_millis(8);

/// What a look at the home is compared with.
#[derive(Debug, Default)]
struct Watch {
    has_looked: bool,
    turn: Option<Turn>,
    sweeps: Due,
    log: space::LogWatch,
    history: space::HistoryWatch,
}

/// What a look at the home found.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    must_sweep: bool,
    /// Whether what is too much goes as well, which only one process at a time can tell.
    is_ours: bool,
    must_pack: bool,
}

impl Services {
    /// Keeps the home from growing, while no other process does so, until `stop`.
    pub async fn keep_small(&self, stop: CancellationToken) {
        let mut watch = Watch::default();
        let mut pause = INTERVAL;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            // What is under way when the server stops may be left alone: it ends at a step, or with the process.
            let worked = tokio::select! {
                () = stop.cancelled() => return,
                worked = self.look_and_work(watch) => worked,
            };
            (watch, pause) = match worked {
                Ok(watch) => (watch, INTERVAL),
                Err(error) => {
                    tracing::warn!(%error, "the home can't be kept from growing at the moment; it is tried again");
                    (Watch { has_looked: true, ..Watch::default() }, INTERVAL_AFTER_FAILURE)
                }
            };
        }
    }

    async fn look_and_work(&self, watch: Watch) -> Result<Watch, LibraryError> {
        let (mut watch, found) = self.blocking(move |library| library.look(watch)).await?;
        if found.must_sweep {
            let comes_back = self.sweep_all(found.is_ours).await?;
            watch = self.blocking(move |library| watch.sweeps.note(library, comes_back).map(|()| watch)).await?;
        }
        if found.must_pack {
            self.aside(|library| library.pack_history(&PackRule::default())).await?;
            watch.history.look_again();
        }
        Ok(watch)
    }

    /// Removes what is too old or too much, in steps, and gives room back where that is worth it. `true` when
    /// something could not go yet.
    async fn sweep_all(&self, by_size: bool) -> Result<bool, LibraryError> {
        let mut comes_back = false;
        for kind in Kept::ALL {
            let planned = self.blocking(move |library| library.plan_sweep(kind, by_size)).await?;
            let Some(mut sweep) = planned else { continue };
            loop {
                let (next, more) = self.blocking(move |library| library.sweep_step(sweep)).await?;
                sweep = next;
                if !more {
                    break;
                }
                tokio::time::sleep(BREATH).await;
            }
            retention::tell(kind, &sweep);
            comes_back |= sweep.comes_back;
        }
        if by_size && self.blocking(Library::is_search_scattered).await? {
            let mut is_first = true;
            while self.blocking(move |library| library.condense_search_step(is_first)).await? {
                is_first = false;
                tokio::time::sleep(BREATH).await;
            }
        }
        while self.blocking(|library| library.give_back_step(false)).await? {
            tokio::time::sleep(BREATH).await;
        }
        Ok(comes_back)
    }
}

impl Library {
    fn look(&self, mut watch: Watch) -> Result<(Watch, Found), LibraryError> {
        if watch.turn.is_none() {
            watch.turn = self.take_turn()?;
        }
        // What is too old is seen to by each server once, when it starts.
        let is_first = !std::mem::replace(&mut watch.has_looked, true);
        if watch.turn.is_none() {
            return Ok((watch, Found { must_sweep: is_first, ..Found::default() }));
        }
        watch.log.look(self)?;
        let must_sweep = watch.sweeps.look(self)?;
        let must_pack = watch.history.look(self)?;
        Ok((watch, Found { must_sweep, is_ours: true, must_pack }))
    }

    /// Does at once and completely what a serving process does little by little. With `compact`, the database is made anew
    /// without its free room.
    ///
    /// # Errors
    /// [`LibraryError`] when another process is at it.
    pub fn tidy(&self, compact: bool) -> Result<Tidied, LibraryError> {
        let Some(_turn) = self.take_turn()? else {
            return Err(LibraryError::invalid_with_hint(
                "a server that has this home open keeps it tidy already",
                "end the servers first to have it done at once",
            ));
        };
        let mut removed = Vec::new();
        for kind in Kept::ALL {
            let Some(mut sweep) = self.plan_sweep(kind, true)? else { continue };
            loop {
                let (next, more) = self.sweep_step(sweep)?;
                sweep = next;
                if !more {
                    break;
                }
                std::thread::sleep(BREATH);
            }
            removed.push((retention::name(kind), sweep.removed));
        }
        let all = PackRule { loose: 1, ..PackRule::default() };
        let packed = self.pack_history(&all)?;
        let mut is_first = true;
        while self.condense_search_step(is_first)? {
            is_first = false;
        }
        if compact {
            self.database.compact()?;
        }
        while self.give_back_step(true)? {
            std::thread::sleep(BREATH);
        }
        self.database.cut_log()?;
        let environments = tidy_packages(&*self.config()?);
        Ok(Tidied { removed, objects_packed: packed.objects, environments })
    }
}
