DROP TRIGGER code_totals_grow;
DROP TRIGGER code_totals_begin;
ALTER TABLE run_totals DROP COLUMN is_of_code;
DROP TABLE code_totals;
