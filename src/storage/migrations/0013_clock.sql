-- Who keeps the clock. The row of a session that has ended stays until the next one is noted.
CREATE TABLE clock_keepers (
    session TEXT PRIMARY KEY,
    user    TEXT NOT NULL,
    kind    TEXT NOT NULL -- server, daemon
) WITHOUT ROWID;

-- What the condition of a trigger was true of when it was last looked at, so that it calls once and not at every event.
CREATE TABLE condition_states (
    id           INTEGER PRIMARY KEY,
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    -- Whose value it is, as the events name it; empty where they name nobody.
    subject      TEXT NOT NULL,
    -- Whether it holds and has called for it.
    has_called   INTEGER NOT NULL,
    -- When it called last; milliseconds since 1970.
    called_at    INTEGER NOT NULL,
    UNIQUE (procedure_id, subject)
);
