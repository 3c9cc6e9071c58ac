DROP INDEX procedures_beyond_ascii;
DROP TABLE model_runs;
DROP TABLE model_days;
ALTER TABLE candidates DROP COLUMN reviewed_by_agent;
ALTER TABLE inbox DROP COLUMN resolved_by_agent;
ALTER TABLE decisions DROP COLUMN by_agent;
ALTER TABLE runs DROP COLUMN can_be_asked;
DROP TABLE users;
ALTER TABLE runs DROP COLUMN user;
