-- Whose a procedure is, when it ran last, and what starts it by itself.

ALTER TABLE procedures ADD COLUMN owner TEXT;
ALTER TABLE procedures ADD COLUMN is_shared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE procedures ADD COLUMN last_run_at INTEGER; -- milliseconds since 1970
UPDATE procedures SET last_run_at =
    (SELECT started_at FROM runs WHERE procedure_id = procedures.id ORDER BY runs.id DESC LIMIT 1);
-- Answers quickly whether there is anything that somebody may not see.
CREATE INDEX procedures_by_owner ON procedures (owner) WHERE owner IS NOT NULL;

-- Triggers of procedures that may be started: active, enabled, not removed.
CREATE TABLE triggers (
    procedure_id INTEGER PRIMARY KEY REFERENCES procedures (id),
    kind         TEXT NOT NULL, -- time, event, condition, conditions
    -- What a context must have at least; see `domain::trigger`.
    key          TEXT NOT NULL,
    definition   TEXT NOT NULL
);
CREATE INDEX triggers_by_key ON triggers (kind, key);

-- The next tick of each time trigger among them. One that was not changed keeps its tick when it is indexed again.
CREATE TABLE schedules (
    procedure_id INTEGER PRIMARY KEY REFERENCES procedures (id),
    cron         TEXT NOT NULL,
    timezone     TEXT NOT NULL,
    next_due     INTEGER NOT NULL -- milliseconds since 1970
);
CREATE INDEX schedules_by_due ON schedules (next_due);

-- Ticks that a process has taken for itself. The key is what makes each of them fire once.
CREATE TABLE ticks (
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    tick         INTEGER NOT NULL, -- milliseconds since 1970
    session      TEXT NOT NULL,
    claimed_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    PRIMARY KEY (procedure_id, tick)
) WITHOUT ROWID;
CREATE INDEX ticks_open ON ticks (session) WHERE ended_at IS NULL;
