//! The log of the database is cut back after a burst.

use serde_json::json;

use super::{MEASURE, length, measure};
use crate::common::{Home, eventually, remember};

const LOG: &str = "repertoire.db-wal";
const MOST: u64 = 16_000_000;

#[test]
fn the_log_stays_small_under_a_burst_and_is_cut_back_after_it() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "measure", MEASURE);
    let mut largest = 0;
    for _ in 0..60 {
        measure(&mut client, 900_000);
        largest = largest.max(length(&home, LOG));
    }
    assert!(largest < MOST, "the log came to {largest} bytes");
    eventually("it is cut back", || length(&home, LOG) <= 1 << 20);
}

#[test]
fn a_log_that_a_reader_held_back_is_cut_when_the_reader_has_gone() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "measure", MEASURE);
    let reader = super::database(&home);
    reader.execute_batch("BEGIN; SELECT count(*) FROM runs;").unwrap();
    for _ in 0..30 {
        measure(&mut client, 900_000);
    }
    assert!(length(&home, LOG) > MOST, "the reader sees the home as it was");
    // Nobody waits for it.
    client.ok("list_runs", json!({}));
    reader.execute_batch("COMMIT").unwrap();
    drop(reader);
    eventually("it is cut back", || length(&home, LOG) <= 1 << 20);
}
