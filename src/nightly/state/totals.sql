-- Version 2. The counters of the metrics no longer rest on the counts of each night, which are forgotten some day.

CREATE TABLE total (
    rule     TEXT NOT NULL,
    store    TEXT NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (rule, store)
) WITHOUT ROWID;

INSERT INTO total
    SELECT substr(name, 1, instr(name, '@') - 1), substr(name, instr(name, '@') + 1), sum(count)
    FROM tally WHERE kind = 'rule-store' GROUP BY name;
DELETE FROM tally WHERE kind = 'rule-store';
