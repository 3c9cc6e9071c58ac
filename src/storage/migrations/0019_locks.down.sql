ALTER TABLE versions DROP COLUMN lock_blob;
ALTER TABLE procedures DROP COLUMN lock;
