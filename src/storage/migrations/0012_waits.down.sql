DROP INDEX runs_due;
ALTER TABLE runs DROP COLUMN due_at;
