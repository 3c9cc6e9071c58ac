-- Why candidates were put away, as somebody said: by their number, which lessons and procedures have in one row.
CREATE TABLE reasons (
    candidate_id INTEGER PRIMARY KEY,
    reason       TEXT NOT NULL,
    said_at      INTEGER NOT NULL -- milliseconds since 1970
);
