-- States of workflows that others run, so that these can go on after a crash.

-- One row per run. It stays when its checkpoints go, so that no number is given out twice.
CREATE TABLE workflow_runs (
    id            INTEGER PRIMARY KEY,
    -- Whose process saved it: nobody else sees it, and others may use the same name for theirs.
    user          TEXT NOT NULL,
    run_id        TEXT NOT NULL,
    workflow_id   TEXT NOT NULL,
    -- The number of the newest checkpoint.
    last_sequence INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL, -- milliseconds since 1970
    UNIQUE (user, run_id)
);

CREATE TABLE checkpoints (
    workflow_run    INTEGER NOT NULL REFERENCES workflow_runs (id),
    sequence        INTEGER NOT NULL,
    node_id         TEXT NOT NULL,
    branch_id       TEXT,
    -- Of the same run; it may be gone.
    parent_sequence INTEGER,
    -- Over a form that is the same for equal states.
    state_hash      TEXT NOT NULL,
    created_at      INTEGER NOT NULL, -- milliseconds since 1970
    metadata        TEXT, -- JSON
    -- JSON. Last, so that a list does not have to read over it.
    state           TEXT NOT NULL,
    PRIMARY KEY (workflow_run, sequence)
);
-- The latest of a branch, which each write looks at.
CREATE INDEX checkpoints_by_branch ON checkpoints (workflow_run, branch_id, sequence);
