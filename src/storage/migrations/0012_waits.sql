-- When the clock goes on with a paused run: what it sleeps until, or what stops waiting then. Milliseconds since 1970.
ALTER TABLE runs ADD COLUMN due_at INTEGER;
CREATE INDEX runs_due ON runs (due_at) WHERE due_at IS NOT NULL;
