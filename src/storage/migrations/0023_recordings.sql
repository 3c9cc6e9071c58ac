-- What agents did for a task, and the procedures that were made of it.

CREATE TABLE recordings (
    id              INTEGER PRIMARY KEY,
    user            TEXT NOT NULL,
    session         TEXT,
    -- Prompt and calls with what they gave: JSON, without secrets.
    recording       TEXT NOT NULL,
    -- The same recording is kept once.
    digest          TEXT NOT NULL,
    -- What kind of things were done, in order: recordings of one task have the same.
    kind            TEXT NOT NULL,
    procedure_id    INTEGER NOT NULL REFERENCES procedures (id),
    recorded_at     INTEGER NOT NULL, -- milliseconds since 1970
    UNIQUE (user, digest)
);
CREATE INDEX recordings_of_kind ON recordings (user, kind);
CREATE INDEX recordings_of_procedure ON recordings (procedure_id);
