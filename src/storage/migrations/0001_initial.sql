-- The index over the procedure history (rebuilt from git when lost) and the record of what happened.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE procedures (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    category        TEXT NOT NULL,
    description     TEXT NOT NULL,
    status          TEXT NOT NULL,
    enabled         INTEGER NOT NULL,
    definition      TEXT NOT NULL,
    code            TEXT,
    version         INTEGER NOT NULL,
    code_version    INTEGER,
    -- What the checks gave the current code, and where the outcomes of its runs have moved that since.
    code_prior      REAL,
    code_confidence REAL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    -- A removed procedure keeps its row, its versions and its runs.
    deleted_at      INTEGER,
    successes       INTEGER NOT NULL DEFAULT 0,
    failures        INTEGER NOT NULL DEFAULT 0,
    uses            INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX procedures_by_update ON procedures (updated_at DESC) WHERE deleted_at IS NULL;
CREATE INDEX procedures_by_confidence ON procedures (code_confidence DESC) WHERE deleted_at IS NULL;

CREATE TABLE procedure_tags (
    tag          TEXT NOT NULL,
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    PRIMARY KEY (tag, procedure_id)
) WITHOUT ROWID;
CREATE INDEX procedure_tags_by_procedure ON procedure_tags (procedure_id);

CREATE VIRTUAL TABLE procedure_search USING fts5 (
    name, description, tags, steps, notes,
    tokenize = "porter unicode61 remove_diacritics 2"
);

CREATE TABLE versions (
    procedure_id    INTEGER NOT NULL REFERENCES procedures (id),
    version         INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    commit_id       TEXT NOT NULL,
    definition_blob TEXT NOT NULL,
    code_blob       TEXT,
    code_confidence REAL,
    message         TEXT NOT NULL,
    author          TEXT NOT NULL,
    committed_at    INTEGER NOT NULL,
    lines_added     INTEGER NOT NULL,
    lines_removed   INTEGER NOT NULL,
    PRIMARY KEY (procedure_id, version)
) WITHOUT ROWID;

CREATE TABLE runs (
    -- UUID v7: the key order is the order of time.
    id             TEXT PRIMARY KEY,
    procedure_id   INTEGER NOT NULL REFERENCES procedures (id),
    version        INTEGER NOT NULL,
    parent_run_id  TEXT,
    -- Which server process owns a run that is open; see `home/sessions`.
    session        TEXT NOT NULL,
    status         TEXT NOT NULL,
    outcome        TEXT,
    parameters     TEXT NOT NULL,
    result         TEXT,
    output         TEXT,
    error          TEXT,
    error_type     TEXT,
    traceback      TEXT,
    waiting_for    TEXT,
    steps_total    INTEGER NOT NULL,
    started_at     INTEGER NOT NULL, -- milliseconds since 1970
    finished_at    INTEGER,
    duration_ms    REAL
) WITHOUT ROWID;
CREATE INDEX runs_by_procedure ON runs (procedure_id, id DESC);
CREATE INDEX runs_open ON runs (session) WHERE status IN ('running', 'paused');
CREATE INDEX runs_by_status ON runs (status, id DESC);

CREATE TABLE host_calls (
    run_id      TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    function    TEXT NOT NULL,
    arguments   TEXT NOT NULL,
    result      TEXT,
    error       TEXT,
    line        INTEGER,
    step        INTEGER,
    duration_ms REAL NOT NULL,
    PRIMARY KEY (run_id, sequence)
) WITHOUT ROWID;

-- Totals per version and day: stats cost the same after a million runs.
CREATE TABLE run_totals (
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    version      INTEGER NOT NULL,
    day          INTEGER NOT NULL, -- days since 1970
    successes    INTEGER NOT NULL DEFAULT 0,
    failures     INTEGER NOT NULL DEFAULT 0,
    skipped      INTEGER NOT NULL DEFAULT 0,
    paused       INTEGER NOT NULL DEFAULT 0,
    duration_ms  REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (procedure_id, version, day)
) WITHOUT ROWID;
