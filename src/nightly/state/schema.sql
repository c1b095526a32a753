-- Version 1. Times are milliseconds since the Unix epoch. What only this program reads is JSON.

-- The runs that ended, in order. A report is `staged` until its folder stands in its place.
CREATE TABLE run (
    id       INTEGER PRIMARY KEY,
    started  INTEGER NOT NULL,
    folder   TEXT,
    staged   INTEGER NOT NULL,
    summary  TEXT NOT NULL,
    -- What is still to be sent to the webhook.
    owed     TEXT
);

-- Files as the last run found them: one that is as it was need not be opened.
CREATE TABLE file (
    name     TEXT PRIMARY KEY,
    device   INTEGER NOT NULL,
    inode    INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    settled  INTEGER NOT NULL
) WITHOUT ROWID;

-- Texts, known by how they begin, and how far each has been read.
CREATE TABLE source (
    id        INTEGER PRIMARY KEY,
    name      TEXT NOT NULL,
    head_len  INTEGER NOT NULL,
    head_hash INTEGER NOT NULL,
    inode     INTEGER NOT NULL,
    offset    INTEGER NOT NULL,
    newlines  INTEGER NOT NULL,
    seen      INTEGER NOT NULL,
    rest      TEXT NOT NULL
);

-- Events that open incidents and lasting facts rest on, and those of the last days: lines of JSON, compressed.
CREATE TABLE memory (
    part     INTEGER PRIMARY KEY,
    body     BLOB NOT NULL
);

-- Incidents as they were last told.
CREATE TABLE incident (
    id       TEXT PRIMARY KEY,
    told     TEXT NOT NULL
) WITHOUT ROWID;

-- Who gave records, to notice who stops.
CREATE TABLE voice (
    name     TEXT PRIMARY KEY,
    run      INTEGER NOT NULL
) WITHOUT ROWID;

-- How often what was seen in each run.
CREATE TABLE tally (
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    run      INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
    count    INTEGER NOT NULL,
    PRIMARY KEY (kind, name, run)
) WITHOUT ROWID;
