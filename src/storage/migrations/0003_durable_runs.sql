-- What an open run needs to go on in another process: the state of its interpreter, and answers that it has not got yet.

-- One row per frame that waits at host calls. The run's own row says what it is, this one where it stands.
CREATE TABLE frames (
    run_id      TEXT PRIMARY KEY,
    root_run_id TEXT NOT NULL,
    depth       INTEGER NOT NULL,
    -- JSON: source, permissions, the calls that it waits at, what is left of the budget.
    state       TEXT NOT NULL,
    output      TEXT NOT NULL,
    snapshot    BLOB NOT NULL,
    -- Keyed hash of all that.
    seal        BLOB NOT NULL
);
CREATE INDEX frames_by_root ON frames (root_run_id, depth);

-- Answers of calls that a frame waits at, in full; the journal may have them cut.
CREATE TABLE answers (
    run_id   TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    reply    TEXT NOT NULL,
    seal     BLOB NOT NULL,
    PRIMARY KEY (run_id, sequence)
) WITHOUT ROWID;

-- Who decided on what a run waited for, and when.
CREATE TABLE decisions (
    run_id     TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    question   TEXT NOT NULL,
    decision   TEXT NOT NULL, -- approve, reject, expired
    decided_by TEXT NOT NULL,
    decided_at INTEGER NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (run_id, sequence, decided_at)
) WITHOUT ROWID;

-- How often an interrupted run was taken up again without coming further: one that ends its server each time must not
-- do so for ever.
ALTER TABLE runs ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
-- When what it waits for stops waiting; milliseconds since 1970.
ALTER TABLE runs ADD COLUMN expires_at INTEGER;

CREATE INDEX runs_by_parent ON runs (parent_run_id) WHERE parent_run_id IS NOT NULL;

-- A paused run belongs to nobody: only those that execute do.
DROP INDEX runs_open;
CREATE INDEX runs_open ON runs (session) WHERE status = 'running';
