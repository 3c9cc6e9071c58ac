DROP TABLE search_spellings;
DROP TABLE search_words;
CREATE TEMP TABLE searched AS SELECT rowid AS id, name, description, tags, steps, notes FROM procedure_search;
DROP TABLE procedure_search;
CREATE VIRTUAL TABLE procedure_search USING fts5 (
    name, description, tags, steps, notes,
    tokenize = "porter unicode61 remove_diacritics 2", prefix = "4 5 6 7 8"
);
INSERT INTO procedure_search (rowid, name, description, tags, steps, notes)
    SELECT id, name, description, tags, steps, notes FROM searched;
DROP TABLE searched;
