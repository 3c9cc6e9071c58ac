-- The packages that code needs, each in one version: what `procedure.lock` beside it says.
ALTER TABLE procedures ADD COLUMN lock TEXT;
ALTER TABLE versions ADD COLUMN lock_blob TEXT;
