-- Leaves an empty database. The index comes back from git; what happened does not.

DROP TABLE run_totals;
DROP TABLE host_calls;
DROP TABLE runs;
DROP TABLE versions;
DROP TABLE procedure_search;
DROP TABLE procedure_tags;
DROP TABLE procedures;
DROP TABLE meta;
