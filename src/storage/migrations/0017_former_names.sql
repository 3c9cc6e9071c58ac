-- What procedures were called, as their definitions say, for who still says it.
CREATE TABLE former_names (
    name         TEXT NOT NULL,
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    PRIMARY KEY (name, procedure_id)
) WITHOUT ROWID;
CREATE INDEX former_names_by_procedure ON former_names (procedure_id);
