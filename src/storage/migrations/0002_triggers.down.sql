-- Whose a procedure is and what starts it by itself lies in git. The index is emptied, so that whoever opens the database
-- next builds it anew: otherwise these would be missing after the way back up, and everybody's would be what was not.

DROP TABLE ticks;
DROP TABLE schedules;
DROP TABLE triggers;
DROP INDEX procedures_by_owner;
ALTER TABLE procedures DROP COLUMN last_run_at;
ALTER TABLE procedures DROP COLUMN is_shared;
ALTER TABLE procedures DROP COLUMN owner;

DELETE FROM versions;
DELETE FROM procedure_search;
DELETE FROM procedure_tags;
DELETE FROM meta WHERE key = 'indexed_commit';
UPDATE procedures SET deleted_at = CAST(strftime('%s', 'now') AS INTEGER) WHERE deleted_at IS NULL;
