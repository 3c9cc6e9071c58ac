-- Languages without spaces are found by pairs of letters, and marks belong to the letters that they stand at.
CREATE TEMP TABLE searched AS SELECT rowid AS id, name, description, tags, steps, notes FROM procedure_search;
DROP TABLE procedure_search;
CREATE VIRTUAL TABLE procedure_search USING fts5 (
    name, description, tags, steps, notes,
    tokenize = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'", prefix = "4 5 6 7 8"
);
INSERT INTO procedure_search (rowid, name, description, tags, steps, notes)
    SELECT id, search_form(name), search_form(description), search_form(tags), search_form(steps), search_form(notes)
    FROM searched;

-- What somebody may have meant who mistyped: each word that was ever indexed, under itself and under what is left of it
-- without one of its letters.
CREATE TABLE search_words (word TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE search_spellings (
    spelling TEXT NOT NULL,
    word     TEXT NOT NULL,
    PRIMARY KEY (spelling, word)
) WITHOUT ROWID;
INSERT OR IGNORE INTO search_words (word)
    SELECT words.value FROM searched,
        json_each(search_words_of(name || char(10) || description || char(10) || tags || char(10) || steps)) AS words;
INSERT OR IGNORE INTO search_spellings (spelling, word)
    SELECT spellings.value, word FROM search_words, json_each(search_spellings_of(word)) AS spellings;
DROP TABLE searched;
