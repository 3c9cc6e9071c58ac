-- Whose a run is: of who started it. Others of the home see neither it nor what it left.

-- Absent in runs of programs of before, where nothing says whose they were: those are everybody's, as they were then.
ALTER TABLE runs ADD COLUMN user TEXT;

-- Who has ever opened these stores: where that is more than one, nobody changes what all of them rely on.
CREATE TABLE users (
    name TEXT PRIMARY KEY
) WITHOUT ROWID;
INSERT OR IGNORE INTO users (name)
    SELECT user FROM session_users UNION SELECT user FROM inbox UNION SELECT user FROM workflow_outcomes
    UNION SELECT user FROM workflow_runs UNION SELECT owner FROM procedures WHERE owner IS NOT NULL;

UPDATE runs SET user = known.user
    FROM (SELECT run_id, max(user) AS user FROM workflow_outcomes WHERE procedure_id IS NOT NULL GROUP BY run_id) AS known
    WHERE known.run_id = runs.id;
UPDATE runs SET user = known.user FROM (SELECT run_id, max(user) AS user FROM inbox GROUP BY run_id) AS known
    WHERE known.run_id = runs.id AND runs.user IS NULL;
UPDATE runs SET user = known.user FROM session_users AS known WHERE known.session = runs.session AND runs.user IS NULL;
UPDATE runs SET user = (SELECT owner FROM procedures WHERE procedures.id = procedure_id) WHERE user IS NULL;
UPDATE runs SET user = (SELECT name FROM users) WHERE user IS NULL AND (SELECT count(*) FROM users) = 1;
-- What a run called is whose it is.
WITH RECURSIVE called (id, user) AS (
    SELECT id, user FROM runs WHERE parent_run_id IS NULL
    UNION ALL SELECT runs.id, called.user FROM runs JOIN called ON runs.parent_run_id = called.id)
UPDATE runs SET user = called.user FROM called WHERE called.id = runs.id AND runs.parent_run_id IS NOT NULL;

-- Whether whoever started it could be asked: then an agent decides nothing of it unless the policy says so.
ALTER TABLE runs ADD COLUMN can_be_asked INTEGER NOT NULL DEFAULT 0;
-- What an agent decided is marked as such.
ALTER TABLE decisions ADD COLUMN by_agent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN resolved_by_agent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE candidates ADD COLUMN reviewed_by_agent INTEGER NOT NULL DEFAULT 0;

-- What the language model was used for: by day for all, and by run.
CREATE TABLE model_days (
    day    INTEGER PRIMARY KEY, -- days since 1970
    calls  INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE model_runs (
    root_run_id TEXT PRIMARY KEY,
    calls       INTEGER NOT NULL DEFAULT 0,
    tokens      INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Names that may be written in another form.
CREATE INDEX procedures_beyond_ascii ON procedures (name) WHERE name GLOB '*[^ -~]*';
