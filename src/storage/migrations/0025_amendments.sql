-- Changes of procedures that their runs speak for, and procedures that are to be looked at because something has happened.

CREATE TABLE amendments (
    -- The number of a candidate, as in `candidates` and `proposals`.
    id               INTEGER PRIMARY KEY,
    -- Whose runs speak for it: others don't see them.
    user             TEXT NOT NULL,
    procedure_id     INTEGER NOT NULL REFERENCES procedures (id),
    kind             TEXT NOT NULL, -- roll_back, fix, automate, merge, retire
    -- What tells it from others of its kind for the same procedure.
    subject          TEXT NOT NULL,
    status           TEXT NOT NULL DEFAULT 'candidate', -- candidate, active, rejected
    -- What would be done, and what speaks for it: JSON, without secrets.
    amendment        TEXT NOT NULL,
    evidence         INTEGER NOT NULL,
    -- Whether a model was asked for code.
    is_asked         INTEGER NOT NULL DEFAULT 0,
    skipped_at       INTEGER,
    decided_by       TEXT,
    decided_by_agent INTEGER NOT NULL DEFAULT 0,
    decided_at       INTEGER, -- milliseconds since 1970
    -- How much spoke for it then.
    decided_evidence INTEGER,
    UNIQUE (user, procedure_id, kind, subject)
);
CREATE INDEX amendments_open ON amendments (user) WHERE status = 'candidate';

CREATE TABLE amendment_looks (
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    -- For whom; empty where it is everybody's and nobody is known.
    user         TEXT NOT NULL,
    -- How often something has happened to it. What happens while somebody looks is so looked at, too.
    marks        INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (procedure_id, user)
) WITHOUT ROWID;

CREATE TRIGGER procedures_looked_at_first AFTER INSERT ON procedures
BEGIN
    -- What a trigger does on a conflict is up to the statement that set it off, so there is none.
    UPDATE amendment_looks SET marks = marks + 1 WHERE procedure_id = NEW.id AND user = coalesce(NEW.owner, '');
    INSERT INTO amendment_looks (procedure_id, user) SELECT NEW.id, coalesce(NEW.owner, '')
        WHERE NOT EXISTS (SELECT 1 FROM amendment_looks WHERE procedure_id = NEW.id AND user = coalesce(NEW.owner, ''));
END;
CREATE TRIGGER procedures_looked_at_again AFTER UPDATE OF version ON procedures
WHEN NEW.version <> OLD.version
BEGIN
    -- What a trigger does on a conflict is up to the statement that set it off, so there is none.
    UPDATE amendment_looks SET marks = marks + 1 WHERE procedure_id = NEW.id AND user = coalesce(NEW.owner, '');
    INSERT INTO amendment_looks (procedure_id, user) SELECT NEW.id, coalesce(NEW.owner, '')
        WHERE NOT EXISTS (SELECT 1 FROM amendment_looks WHERE procedure_id = NEW.id AND user = coalesce(NEW.owner, ''));
END;
