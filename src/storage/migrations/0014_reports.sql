-- What was carried out by somebody who read a procedure, as they reported it. Each report is a run that nothing executed.

ALTER TABLE runs ADD COLUMN is_reported INTEGER NOT NULL DEFAULT 0;
-- The last one that says anything, among runs of which few are reports.
CREATE INDEX runs_reported ON runs (procedure_id, id DESC) WHERE is_reported;

-- Apart from `run_totals`: those measure the code.
CREATE TABLE report_totals (
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    version      INTEGER NOT NULL,
    day          INTEGER NOT NULL, -- days since 1970
    -- Hash of what there was to read: equal texts share what was reported of them.
    digest       TEXT NOT NULL,
    successes    INTEGER NOT NULL DEFAULT 0,
    failures     INTEGER NOT NULL DEFAULT 0,
    skipped      INTEGER NOT NULL DEFAULT 0,
    -- How many of the successes and failures say how long it took, and their sum.
    timed        INTEGER NOT NULL DEFAULT 0,
    duration_ms  REAL NOT NULL DEFAULT 0,
    last_at      INTEGER NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (procedure_id, version, day, digest)
) WITHOUT ROWID;
