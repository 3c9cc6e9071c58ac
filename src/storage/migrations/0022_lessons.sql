-- Lessons as they were told: those that wait to be judged, and what became of the others.

CREATE TABLE lessons (
    id              INTEGER PRIMARY KEY,
    user            TEXT NOT NULL,
    told            TEXT NOT NULL, -- JSON, without secrets
    session         TEXT,
    context         TEXT,
    told_at         INTEGER NOT NULL, -- milliseconds since 1970
    -- waiting, candidate, twin, not_procedural, passing_failure
    verdict         TEXT NOT NULL DEFAULT 'waiting',
    judged_by       TEXT, -- model, rules
    confidence      REAL,
    -- What was made of it, or what it is a twin of.
    procedure_id    INTEGER REFERENCES procedures (id),
    likeness        REAL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- While it waits: when it may be judged (again). A process that judges it puts this off.
    due_at          INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX lessons_waiting ON lessons (user, due_at) WHERE verdict = 'waiting';
CREATE INDEX lessons_of_procedures ON lessons (procedure_id) WHERE procedure_id IS NOT NULL;
