-- What only grows of the saved state of an open run, in the pieces in which it was written; the rest is in the frame's row.
CREATE TABLE journals (
    run_id TEXT NOT NULL,
    piece  INTEGER NOT NULL, -- counted from 0
    text   BLOB NOT NULL,
    -- Keyed hash of it and of the seal before it. The frame's own seal is made over the last of them.
    seal   BLOB NOT NULL,
    PRIMARY KEY (run_id, piece)
);
