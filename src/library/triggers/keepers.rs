//! Who keeps the clock, for whoever asks why nothing starts.

use crate::{
    domain::Keeper,
    library::{Library, LibraryError},
    storage::{KeeperRow, StorageError},
};

/// The clock of a user: what waits for it, and who keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock {
    /// Procedures that are started by it.
    pub procedures: u64,
    /// The next time that one of them is due, in milliseconds since 1970.
    pub next_due: Option<i64>,
    /// The processes that keep it now.
    pub keepers: Vec<Keeper>,
}

impl Library {
    /// The clock of this user.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn clock(&self) -> Result<Clock, LibraryError> {
        let (procedures, next_due, rows) = self.database.read(|reader| {
            let (procedures, next_due) = reader.schedules(&self.user)?;
            Ok::<_, StorageError>((procedures, next_due, reader.keepers(&self.user)?))
        })?;
        let alive = rows.into_iter().filter(|row| !self.session.is_dead(&row.session));
        Ok(Clock { procedures, next_due, keepers: alive.map(|row| row.keeper).collect() })
    }

    /// Notes that this process keeps the clock, unless that is noted: the database may be another one since.
    pub(super) fn note_keeper(&self, keeper: Keeper) -> Result<(), LibraryError> {
        let rows = self.database.read(|reader| reader.keepers(&self.user))?;
        if rows.iter().any(|row| row.session == self.session.id()) {
            return Ok(());
        }
        let dead = rows.into_iter().map(|KeeperRow { session, .. }| session);
        let dead: Vec<String> = dead.filter(|session| self.session.is_dead(session)).collect();
        Ok(self
            .database
            .write::<_, StorageError>(|writer| writer.note_keeper(self.session.id(), &self.user, keeper, &dead))?)
    }
}
