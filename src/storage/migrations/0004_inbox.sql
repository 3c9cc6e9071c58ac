-- What procedures put before the user: notifications, tasks, drafts of e-mails. Paused runs are listed with them, but
-- stay where they are.

CREATE TABLE inbox (
    -- Never given out twice, because people and agents write it down.
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL,
    title        TEXT,
    body         TEXT NOT NULL,
    -- JSON: what only items of this kind have.
    data         TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    -- Whose process executed the run.
    user         TEXT NOT NULL,
    -- Where it was sent too, and why it did not get there.
    channel      TEXT,
    undelivered  TEXT,
    created_at   INTEGER NOT NULL, -- milliseconds since 1970
    resolved_at  INTEGER,
    resolved_by  TEXT
);
CREATE INDEX inbox_open ON inbox (id DESC) WHERE resolved_at IS NULL;
