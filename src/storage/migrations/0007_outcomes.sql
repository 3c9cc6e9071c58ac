-- How whole runs ended, and what was learned from that.

CREATE TABLE workflow_outcomes (
    id              INTEGER PRIMARY KEY,
    -- Whose run it was. The run's name is taken once per user.
    user            TEXT NOT NULL,
    workflow_id     TEXT NOT NULL,
    run_id          TEXT NOT NULL,
    -- Where the run was one of ours: then the workflow has the procedure's name.
    procedure_id    INTEGER REFERENCES procedures (id),
    outcome         TEXT NOT NULL, -- success, failure
    -- The same for outcomes that are alike; absent where nothing is to be learned.
    pattern         TEXT,
    created_at      INTEGER NOT NULL, -- milliseconds since 1970
    duration_ms     INTEGER NOT NULL,
    node_count      INTEGER NOT NULL,
    nodes_succeeded INTEGER NOT NULL,
    nodes_failed    INTEGER NOT NULL,
    error_message   TEXT,
    artifacts       TEXT, -- JSON
    -- JSON: nodes and facts of the states, because the checkpoints may go. Last, so that a filter need not read over it.
    trace           TEXT NOT NULL,
    UNIQUE (user, run_id)
);
-- The newest of a user.
CREATE INDEX workflow_outcomes_by_user ON workflow_outcomes (user);
CREATE INDEX workflow_outcomes_by_workflow ON workflow_outcomes (user, workflow_id, outcome);
CREATE INDEX workflow_outcomes_by_pattern ON workflow_outcomes (user, pattern) WHERE pattern IS NOT NULL;

-- The texts are in the table above.
CREATE VIRTUAL TABLE outcome_search USING fts5 (
    workflow, status, nodes, error, artifacts,
    content = '', tokenize = "porter unicode61 remove_diacritics 2"
);

-- What was learned and waits for a person's word, or got it. Its evidence is every outcome with its pattern.
CREATE TABLE candidates (
    -- Never given out twice, because people and agents write it down.
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    user              TEXT NOT NULL,
    workflow_id       TEXT NOT NULL,
    kind              TEXT NOT NULL, -- strategy, anti_pattern
    pattern           TEXT NOT NULL,
    status            TEXT NOT NULL DEFAULT 'candidate', -- candidate, active, rejected
    -- JSON: problem, solution, reasoning and so on.
    lesson            TEXT NOT NULL,
    -- How many outcomes speak for it: counted once, because there may be a million.
    evidence          INTEGER NOT NULL,
    -- What the evidence says, in our words; the lesson may have better ones.
    basis             TEXT NOT NULL,
    wording           TEXT NOT NULL DEFAULT 'plain', -- plain, asked, model, edited
    -- A session that is making a procedure of it.
    claimed_by        TEXT,
    reviewed_by       TEXT,
    reviewed_at       INTEGER, -- milliseconds since 1970
    -- How many outcomes spoke for it then.
    reviewed_evidence INTEGER,
    procedure_name    TEXT,
    skipped_at        INTEGER,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    UNIQUE (user, kind, pattern)
);
CREATE INDEX candidates_by_workflow ON candidates (user, workflow_id, status);

-- Whose process a session is: the runs that it ends are that user's.
CREATE TABLE session_users (
    session TEXT PRIMARY KEY,
    user    TEXT NOT NULL
) WITHOUT ROWID;

-- Runs of ours that ended and were not learned from yet. A mark up to which all were seen would not do: runs don't end in
-- the order in which they began, nor are their ends written in the order of their times.
CREATE TABLE ended_runs (
    run_id TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TRIGGER runs_end AFTER UPDATE OF status ON runs
WHEN NEW.parent_run_id IS NULL AND NEW.status IN ('succeeded', 'failed') AND NEW.outcome IN ('success', 'failure')
BEGIN
    INSERT OR IGNORE INTO ended_runs (run_id) VALUES (NEW.id);
END;
-- The past teaches too, its last part.
INSERT INTO ended_runs (run_id)
    SELECT id FROM runs
    WHERE parent_run_id IS NULL AND status IN ('succeeded', 'failed') AND outcome IN ('success', 'failure')
    ORDER BY id DESC LIMIT 10000;
