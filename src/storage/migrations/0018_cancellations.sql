-- Runs that somebody wants to end while another process executes them: that process looks here.
CREATE TABLE cancellations (
    run_id   TEXT PRIMARY KEY,
    asked_at INTEGER NOT NULL -- milliseconds since 1970
) WITHOUT ROWID;
