//! Following the file of a database: it may be replaced by another, or removed, while it is open.

use std::sync::{PoisonError, TryLockError, atomic::Ordering};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{Database, StorageError, file, holder, open_writer};

impl Database {
    /// Which of the files that were at the path since it was opened this process works with: grows when another was put
    /// there. One that was taken away is put back.
    ///
    /// # Errors
    /// [`StorageError`] when there is none and can't be.
    pub fn generation(&self) -> Result<u64, StorageError> {
        if self.is_replaced() {
            // Who writes now sees to it.
            match self.writer.try_lock() {
                Ok(mut writer) => self.follow(&mut writer)?,
                Err(TryLockError::Poisoned(poisoned)) => self.follow(&mut poisoned.into_inner())?,
                Err(TryLockError::WouldBlock) => {}
            }
        }
        Ok(self.generation.load(Ordering::Acquire))
    }

    pub(super) fn is_replaced(&self) -> bool {
        let known = *self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        file::identity(&self.path).ok() != Some(known)
            || self.read_only.as_ref().is_some_and(|read_only| read_only.is_stale(&self.path))
    }

    /// Opens the file that is at the path now, or puts back the one that was taken away.
    pub(super) fn follow(&self, writer: &mut Connection) -> Result<(), StorageError> {
        if !self.is_replaced() {
            return Ok(());
        }
        if !self.path.exists() {
            if self.read_only.is_some() || self.path.parent().is_none_or(|folder| !folder.exists()) {
                let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
                return Err(StorageError::cant_look(&self.path, &gone));
            }
            // Others that have it open write no more while it is copied; they see the new one when they have the lock. Who
            // holds the lock can't copy, so that another connection does, where there is one.
            let reader = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let transaction = Transaction::new(writer, TransactionBehavior::Immediate);
            let transaction = transaction.map_err(|error| holder::named(error, &self.path))?;
            let reader = if let Some((_, reader)) = &reader {
                reader
            } else {
                drop(transaction);
                &*writer
            };
            file::bring_back(reader, &self.path)
                .map_err(|source| StorageError::Backup { path: self.path.clone(), source })?;
            tracing::warn!(path = %self.path.display(), "the database was removed while it was open, and was put back");
        }
        let opened = match &self.read_only {
            Some(read_only) => read_only.connect(&self.path)?,
            None => open_writer(&self.path)?.0,
        };
        *writer = opened;
        let identity = file::identity(&self.path).map_err(|error| StorageError::cant_look(&self.path, &error))?;
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = identity;
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}
