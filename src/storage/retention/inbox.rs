//! Removing items of the inbox that were done with.

use std::time::Instant;

use rusqlite::params;

use super::sweep::Sweep;
use crate::{
    domain::ItemKind,
    storage::{StorageError, Writer},
};

const PAGE: u32 = 64;

/// What a row takes.
pub const BYTES: &str = "120 + coalesce(octet_length(title), 0) + octet_length(body) + octet_length(data)";

impl Writer<'_> {
    /// Items that nobody is done with stay, but for notifications where the inbox would be too large otherwise: they ask
    /// for nothing.
    pub(super) fn sweep_inbox(&self, sweep: &mut Sweep, until: Instant) -> Result<bool, StorageError> {
        let sql = format!(
            "SELECT id, created_at, resolved_at, kind, {BYTES} FROM inbox WHERE id > ?1 ORDER BY id LIMIT {PAGE}"
        );
        let mut statement = self.0.0.prepare_cached(&sql)?;
        let mut remove = self.0.0.prepare_cached("DELETE FROM inbox WHERE id = ?1")?;
        while Instant::now() < until {
            let rows = statement.query_map([sweep.after_row], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?;
            let page: Vec<(i64, i64, Option<i64>, String, i64)> = rows.collect::<Result<_, _>>()?;
            let is_over = page.last().is_none_or(|(_, created_at, ..)| sweep.is_done_at(*created_at));
            for (id, created_at, resolved_at, kind, bytes) in page {
                let is_unread = resolved_at.is_none();
                let may_go = !is_unread || sweep.takes_unread && kind == ItemKind::Notification.as_str();
                if may_go && (is_unread && sweep.excess > sweep.freed || sweep.wants(resolved_at.unwrap_or(created_at)))
                {
                    remove.execute(params![id])?;
                    sweep.count(bytes);
                }
                sweep.after_row = id;
            }
            if is_over {
                let is_short = sweep.excess > sweep.freed && !sweep.takes_unread;
                if is_short {
                    (sweep.takes_unread, sweep.after_row) = (true, 0);
                }
                return Ok(is_short);
            }
        }
        Ok(true)
    }
}
