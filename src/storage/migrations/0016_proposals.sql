-- Procedures that wait for a person's word before they are in use, with what was learned: one row of numbers for both.

CREATE TABLE proposals (
    -- The number of a candidate, as in `candidates`; a procedure keeps it when it waits again.
    id              INTEGER PRIMARY KEY,
    procedure_id    INTEGER NOT NULL UNIQUE REFERENCES procedures (id),
    skipped_at      INTEGER,
    -- Who decided last; absent where the definition was changed by a push.
    decided_by      TEXT,
    decided_by_agent INTEGER NOT NULL DEFAULT 0,
    decided_at      INTEGER -- milliseconds since 1970
);

INSERT INTO sqlite_sequence (name, seq)
    SELECT 'candidates', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'candidates');
INSERT INTO proposals (id, procedure_id)
    SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'candidates') + row_number() OVER (ORDER BY id), id
    FROM procedures WHERE status = 'candidate';
UPDATE sqlite_sequence SET seq = max(seq, (SELECT coalesce(max(id), 0) FROM proposals)) WHERE name = 'candidates';

-- Whichever program writes the row, and for whatever reason: remembered, pushed, brought from elsewhere.
CREATE TRIGGER procedures_proposed_first AFTER INSERT ON procedures
WHEN NEW.status = 'candidate'
BEGIN
    UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'candidates';
    INSERT INTO proposals (id, procedure_id) SELECT seq, NEW.id FROM sqlite_sequence WHERE name = 'candidates';
END;
CREATE TRIGGER procedures_proposed AFTER UPDATE OF status ON procedures
WHEN NEW.status = 'candidate' AND NOT EXISTS (SELECT 1 FROM proposals WHERE procedure_id = NEW.id)
BEGIN
    UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'candidates';
    INSERT INTO proposals (id, procedure_id) SELECT seq, NEW.id FROM sqlite_sequence WHERE name = 'candidates';
END;
CREATE TRIGGER procedures_proposed_again AFTER UPDATE OF status ON procedures
WHEN NEW.status = 'candidate' AND OLD.status <> 'candidate'
BEGIN
    UPDATE proposals SET skipped_at = NULL, decided_by = NULL, decided_by_agent = 0, decided_at = NULL
        WHERE procedure_id = NEW.id;
END;
CREATE INDEX procedures_proposals ON procedures (status) WHERE status = 'candidate';
