-- A procedure may call several others at the same time: which of its calls a run answers.
ALTER TABLE runs ADD COLUMN parent_call INTEGER;
