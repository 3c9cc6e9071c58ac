//! Numbers of seconds that people and code write: how many there may be.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// The longest time that anything waits: a hundred years, so that every date that comes of it can be written.
pub const MOST_SECONDS: u32 = 3_153_600_000;

/// Reads an optional whole number of seconds.
///
/// # Errors
/// Says what the number is, where it is none from 1 to [`MOST_SECONDS`].
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    let fitting = seconds.filter(|seconds| (1..=MOST_SECONDS).contains(seconds));
    fitting.map(Some).ok_or_else(|| {
        let shown: String = value.to_string().chars().take(60).collect();
        de::Error::custom(format_args!(
            "it is {shown}; leave it out or give a whole number of seconds from 1 to {MOST_SECONDS}"
        ))
    })
}
