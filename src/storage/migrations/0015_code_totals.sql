-- What code has earned, whichever versions of a procedure have it, and whatever numbers they get when the history is built anew.

CREATE TABLE code_totals (
    procedure_id INTEGER NOT NULL REFERENCES procedures (id),
    -- git's hash of it: equal code has one.
    code_blob    TEXT NOT NULL,
    successes    INTEGER NOT NULL DEFAULT 0,
    failures     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (procedure_id, code_blob)
) WITHOUT ROWID;
INSERT INTO code_totals (procedure_id, code_blob, successes, failures)
    SELECT procedure_id, code_blob, sum(successes), sum(failures) FROM run_totals JOIN versions USING (procedure_id, version)
    WHERE code_blob IS NOT NULL GROUP BY procedure_id, code_blob HAVING sum(successes + failures) > 0;

-- Where the index is to be built anew, which code a version had is known with it, and these are added then.
ALTER TABLE run_totals ADD COLUMN is_of_code INTEGER NOT NULL DEFAULT 1;
UPDATE run_totals SET is_of_code = 0 WHERE NOT EXISTS
    (SELECT 1 FROM versions WHERE versions.procedure_id = run_totals.procedure_id AND versions.version = run_totals.version);

-- In the database, because programs that know nothing of it count as well.
CREATE TRIGGER code_totals_begin AFTER INSERT ON run_totals WHEN NEW.successes + NEW.failures > 0 BEGIN
    INSERT INTO code_totals (procedure_id, code_blob, successes, failures)
        SELECT NEW.procedure_id, code_blob, NEW.successes, NEW.failures FROM versions
        WHERE procedure_id = NEW.procedure_id AND version = NEW.version AND code_blob IS NOT NULL
        ON CONFLICT DO UPDATE SET successes = successes + excluded.successes, failures = failures + excluded.failures;
END;
CREATE TRIGGER code_totals_grow AFTER UPDATE OF successes, failures ON run_totals
WHEN NEW.successes + NEW.failures > OLD.successes + OLD.failures BEGIN
    INSERT INTO code_totals (procedure_id, code_blob, successes, failures)
        SELECT NEW.procedure_id, code_blob, NEW.successes - OLD.successes, NEW.failures - OLD.failures FROM versions
        WHERE procedure_id = NEW.procedure_id AND version = NEW.version AND code_blob IS NOT NULL
        ON CONFLICT DO UPDATE SET successes = successes + excluded.successes, failures = failures + excluded.failures;
END;

-- As `domain::confidence::posterior` has it, whose prior weighs as much as four executions.
UPDATE procedures SET code_confidence = round((4 * code_prior + earned.successes)
                                              / (4 + earned.successes + earned.failures), 2)
    FROM versions JOIN code_totals AS earned USING (procedure_id, code_blob)
    WHERE versions.procedure_id = procedures.id AND versions.version = procedures.version AND code_prior IS NOT NULL;
