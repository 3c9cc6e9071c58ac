-- What the stats of procedures still need of runs that were removed because they were too old or too many.
CREATE TABLE past_durations (
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    -- The run's UUID v7 in its 16 bytes: the key order is the order of time.
    run_id       BLOB NOT NULL,
    duration_ms  REAL NOT NULL,
    PRIMARY KEY (procedure_id, run_id)
) WITHOUT ROWID;

CREATE TABLE past_runs (
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    -- Who started them; empty where nobody knows. Others do not see how they failed.
    user         TEXT NOT NULL,
    last_run_at  INTEGER NOT NULL, -- milliseconds since 1970
    last_error   TEXT,
    -- When the run began that ended with it; milliseconds since 1970.
    failed_at    INTEGER,
    PRIMARY KEY (procedure_id, user)
) WITHOUT ROWID;

-- The checkpoints of a run of ours, which go with it.
CREATE INDEX workflow_runs_by_run ON workflow_runs (run_id);

-- The same index, which also has the beginnings of words: a question is answered without gathering the words that begin so.
CREATE TEMP TABLE searched AS SELECT rowid AS id, name, description, tags, steps, notes FROM procedure_search;
DROP TABLE procedure_search;
CREATE VIRTUAL TABLE procedure_search USING fts5 (
    name, description, tags, steps, notes,
    tokenize = "porter unicode61 remove_diacritics 2", prefix = "4 5 6 7 8"
);
INSERT INTO procedure_search (rowid, name, description, tags, steps, notes)
    SELECT id, name, description, tags, steps, notes FROM searched;
DROP TABLE searched;
