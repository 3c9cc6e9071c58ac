-- Files and addresses that belong to what is remembered. From here on the state of a checkpoint may be a blob: LZ4.

CREATE TABLE artifacts (
    -- Never given out twice: resources are named after it.
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Whose process linked it: it is not there for anybody else.
    user         TEXT NOT NULL,
    memory_type  TEXT NOT NULL,
    -- A procedure's name, a run's id, a checkpoint's name in answers.
    memory_id    TEXT NOT NULL,
    type         TEXT NOT NULL,
    -- The real path of a file, or a URI.
    location     TEXT NOT NULL,
    is_file      INTEGER NOT NULL,
    content_hash TEXT,
    size_bytes   INTEGER,
    metadata     TEXT, -- JSON
    created_at   INTEGER NOT NULL, -- milliseconds since 1970
    UNIQUE (user, memory_type, memory_id, location)
);

-- Checkpoints are removed by several hands; what was linked to one goes with it.
CREATE TRIGGER artifacts_of_checkpoint AFTER DELETE ON checkpoints BEGIN
    DELETE FROM artifacts WHERE memory_type = 'checkpoint'
        AND (user, memory_id) = (SELECT user, 'cp_' || run_id || '_' || old.sequence FROM workflow_runs
                                 WHERE id = old.workflow_run);
END;

-- Whether there are any, for readers that show them.
CREATE INDEX artifacts_by_memory ON artifacts (memory_type, memory_id);

-- Which are too old.
CREATE INDEX checkpoints_by_time ON checkpoints (created_at);
