-- Programs that know no reports would take them for executions.
UPDATE procedures SET
    successes = successes - (SELECT coalesce(sum(report_totals.successes), 0) FROM report_totals WHERE procedure_id = id),
    failures = failures - (SELECT coalesce(sum(report_totals.failures), 0) FROM report_totals WHERE procedure_id = id),
    uses = uses - (SELECT coalesce(sum(report_totals.successes + report_totals.failures), 0) FROM report_totals
                   WHERE procedure_id = id);
DROP TABLE report_totals;
DROP INDEX runs_reported;
DELETE FROM runs WHERE is_reported;
ALTER TABLE runs DROP COLUMN is_reported;
