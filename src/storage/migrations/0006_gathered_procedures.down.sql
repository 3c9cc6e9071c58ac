ALTER TABLE runs DROP COLUMN parent_call;
