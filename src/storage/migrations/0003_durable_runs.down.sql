-- Paused runs can't go on without their saved states: whoever opens the database next marks them as interrupted.

DROP INDEX runs_open;
CREATE INDEX runs_open ON runs (session) WHERE status IN ('running', 'paused');
DROP INDEX runs_by_parent;
ALTER TABLE runs DROP COLUMN expires_at;
ALTER TABLE runs DROP COLUMN attempts;
DROP TABLE decisions;
DROP TABLE answers;
DROP TABLE frames;
