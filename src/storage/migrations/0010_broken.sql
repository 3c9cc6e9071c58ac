-- What in the history is no procedure, whatever its place says, until somebody mends it.

CREATE TABLE broken (
    -- The name of its folder, which may be none that a procedure can have.
    name      TEXT PRIMARY KEY,
    file      TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    reason    TEXT NOT NULL
) WITHOUT ROWID;

-- What the program did to get the stores out of a state that they should not have been in.
CREATE TABLE mendings (
    at   INTEGER NOT NULL, -- seconds since 1970
    what TEXT NOT NULL
);
