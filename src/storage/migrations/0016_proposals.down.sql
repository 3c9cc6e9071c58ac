DROP INDEX procedures_proposals;
DROP TRIGGER procedures_proposed_again;
DROP TRIGGER procedures_proposed;
DROP TRIGGER procedures_proposed_first;
DROP TABLE proposals;
