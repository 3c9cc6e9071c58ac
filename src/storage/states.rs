//! How the state of a checkpoint is kept: as JSON text, or compressed where that pays.
//!
//! SQLite's own type tells which: a text is JSON, a blob is compressed. LZ4, because a state is written after each node
//! and mostly never read: it costs less time than the pages of the database that it saves.

use rusqlite::{
    Connection, ToSql,
    functions::FunctionFlags,
    types::{FromSqlError, ToSqlOutput, Value as SqlValue, ValueRef},
};

/// A state that is smaller fits a page or two anyway.
const LEAST_BYTES: usize = 4 * 1024;
/// The first byte of a blob. Whatever comes after LZ4 has another one.
const LZ4: u8 = 1;
/// The tag and, in four bytes, the length of the text.
const HEADER_BYTES: usize = 5;

/// A state as it is kept.
#[derive(Debug, PartialEq, Eq)]
pub struct StoredState(Stored);

#[derive(Debug, PartialEq, Eq)]
enum Stored {
    Text(String),
    Packed(Vec<u8>),
}

impl StoredState {
    /// JSON, compressed where that pays.
    #[must_use]
    pub fn pack(text: String) -> Self {
        Self::packed(&text).unwrap_or_else(|| Self::text(text))
    }

    /// JSON as it is.
    #[must_use]
    pub const fn text(text: String) -> Self {
        Self(Stored::Text(text))
    }

    /// The same compressed; `None` where that does not make it smaller by a sixth at least.
    #[must_use]
    pub fn packed(text: &str) -> Option<Self> {
        let length = u32::try_from(text.len()).ok().filter(|_| text.len() >= LEAST_BYTES)?;
        let mut packed = vec![0; HEADER_BYTES + lz4_flex::block::get_maximum_output_size(text.len())];
        let bytes = lz4_flex::block::compress_into(text.as_bytes(), &mut packed[HEADER_BYTES..]).ok()?;
        if bytes > text.len() / 6 * 5 {
            return None;
        }
        packed.truncate(HEADER_BYTES + bytes);
        packed[0] = LZ4;
        packed[1..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
        Some(Self(Stored::Packed(packed)))
    }
}

impl ToSql for StoredState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match &self.0 {
            Stored::Text(text) => ValueRef::Text(text.as_bytes()),
            Stored::Packed(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The JSON of a column.
fn text_of(value: ValueRef<'_>) -> Result<String, FromSqlError> {
    let unreadable = |why: &str| FromSqlError::Other(format!("a state that {why}").into());
    let bytes = match value {
        ValueRef::Text(_) => return Ok(value.as_str()?.to_owned()),
        ValueRef::Blob(bytes) => bytes,
        _ => return Err(FromSqlError::InvalidType),
    };
    let Some((&[LZ4, a, b, c, d], packed)) = bytes.split_first_chunk() else {
        return Err(unreadable("is packed in a way that this version does not know"));
    };
    // Anything may stand there in a broken file; what LZ4 can make of the bytes has an end.
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > packed.len().saturating_mul(255).saturating_add(64) {
        return Err(unreadable("was not packed by this program"));
    }
    let text = lz4_flex::block::decompress(packed, length).map_err(|error| FromSqlError::Other(error.into()))?;
    if text.len() != length {
        return Err(unreadable("is not as long as it was"));
    }
    String::from_utf8(text).map_err(|error| FromSqlError::Other(error.into()))
}

/// The JSON of the state in a column, if it has one.
pub fn state_of(value: ValueRef<'_>) -> Result<Option<String>, FromSqlError> {
    if value == ValueRef::Null { Ok(None) } else { text_of(value).map(Some) }
}

/// Lets SQL unpack states with `unpack_state(state)`: a migration to an older version has to.
pub fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("unpack_state", 1, flags, |context| {
        let text = text_of(context.get_raw(0)).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))?;
        Ok(SqlValue::Text(text))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::params;
    use serde_json::json;

    use super::*;
    use crate::storage::Database;

    fn unpacked(state: &StoredState) -> String {
        match &state.0 {
            Stored::Text(text) => text_of(ValueRef::Text(text.as_bytes())).unwrap(),
            Stored::Packed(bytes) => text_of(ValueRef::Blob(bytes)).unwrap(),
        }
    }

    #[test]
    fn only_what_gets_smaller_is_packed() {
        let short = json!({"a": "b".repeat(LEAST_BYTES - 100)}).to_string();
        assert!(matches!(StoredState::pack(short).0, Stored::Text(_)));
        let long = json!({"a": "größer ".repeat(LEAST_BYTES)}).to_string();
        let Stored::Packed(bytes) = &StoredState::pack(long.clone()).0 else { panic!("not packed") };
        assert!(bytes.len() < long.len() / 10, "{} of {}", bytes.len(), long.len());
        let noise: String =
            (0_u32..20_000).map(|n| char::from(b'!' + (blake3::hash(&n.to_le_bytes()).as_bytes()[0] % 90))).collect();
        assert!(matches!(StoredState::pack(noise).0, Stored::Text(_)));
    }

    #[test]
    fn what_this_program_did_not_pack_is_refused() {
        for bytes in
            [&[][..], &[1], &[1, 1, 0, 0], &[9, 1, 0, 0, 0, 5], &[1, 255, 255, 255, 255, 5], &[1, 4, 0, 0, 0, 5]]
        {
            assert!(state_of(ValueRef::Blob(bytes)).is_err(), "{bytes:?}");
        }
        assert!(state_of(ValueRef::Integer(1)).is_err());
        assert_eq!(state_of(ValueRef::Null).unwrap(), None);
    }

    #[test]
    fn the_way_back_leaves_states_that_programs_of_before_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repertoire.db");
        drop(Database::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        register(&connection).unwrap();
        let long = json!({"a": "größer ".repeat(LEAST_BYTES)}).to_string();
        connection.execute("INSERT INTO workflow_runs VALUES (1, 'ada', 'r', 'w', 2, 0)", []).unwrap();
        let add = "INSERT INTO checkpoints VALUES (1, ?1, 'n', NULL, NULL, 'h', 0, NULL, ?2)";
        connection.execute(add, params![1, StoredState::pack(long.clone())]).unwrap();
        connection.execute(add, params![2, StoredState::pack("{}".to_owned())]).unwrap();
        connection.execute_batch(include_str!("migrations/0008_artifacts.down.sql")).unwrap();
        let mut rows = connection.prepare("SELECT state FROM checkpoints ORDER BY sequence").unwrap();
        let states: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(states, [long, "{}".to_owned()]);
        connection.execute_batch(include_str!("migrations/0008_artifacts.sql")).unwrap();
    }

    proptest! {
        #[test]
        fn packing_loses_nothing(text in "\\PC{0,40}", times in 1_usize..400) {
            let text = text.repeat(times);
            prop_assert_eq!(unpacked(&StoredState::pack(text.clone())), text);
        }
    }
}
