DROP TRIGGER procedures_looked_at_again;
DROP TRIGGER procedures_looked_at_first;
DROP TABLE amendment_looks;
DROP TABLE amendments;
