DROP INDEX checkpoints_by_time;
DROP TRIGGER artifacts_of_checkpoint;
DROP TABLE artifacts;
-- Programs of before read text only.
UPDATE checkpoints SET state = unpack_state(state) WHERE typeof(state) = 'blob';
