DROP TRIGGER runs_end;
DROP TABLE ended_runs;
DROP TABLE session_users;
DROP TABLE candidates;
DROP TABLE outcome_search;
DROP TABLE workflow_outcomes;
