-- +goose Up

-- Whole numbers of 64 bits without a sign are stored as they are, with one.

CREATE TABLE campaign (
  id      INTEGER PRIMARY KEY,
  plan    TEXT    NOT NULL, -- JSON, of whoever made it
  build   TEXT    NOT NULL,
  began   INTEGER NOT NULL, -- seconds since 1970
  seconds REAL    NOT NULL DEFAULT 0, -- at work, over all times that it was resumed
  runs    INTEGER NOT NULL DEFAULT 0,
  digest  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The runs that are done. Ranges do not overlap, and those that meet are one.
CREATE TABLE done (
  campaign INTEGER NOT NULL REFERENCES campaign,
  family   TEXT    NOT NULL,
  first    INTEGER NOT NULL,
  until    INTEGER NOT NULL, -- the first one that is not in it
  PRIMARY KEY (campaign, family, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE cell (
  campaign INTEGER NOT NULL REFERENCES campaign,
  name     TEXT    NOT NULL,
  tally    TEXT    NOT NULL, -- JSON
  PRIMARY KEY (campaign, name)
) STRICT, WITHOUT ROWID;

-- Failures by signature, and the smallest example of each.
CREATE TABLE failures (
  campaign   INTEGER NOT NULL REFERENCES campaign,
  id         TEXT    NOT NULL,
  signature  TEXT    NOT NULL, -- JSON
  canary     INTEGER NOT NULL, -- 1 if somebody planted it to be found
  count      INTEGER NOT NULL,
  seen       INTEGER NOT NULL, -- first, in seconds since 1970
  seed       INTEGER NOT NULL, -- the lowest one
  sentence   TEXT    NOT NULL,
  operations INTEGER NOT NULL,
  faults     INTEGER NOT NULL,
  scenario   TEXT    NOT NULL,
  PRIMARY KEY (campaign, id)
) STRICT, WITHOUT ROWID;

-- The first 100 failures of each signature.
CREATE TABLE example (
  campaign  INTEGER NOT NULL REFERENCES campaign,
  signature TEXT    NOT NULL,
  seed      INTEGER NOT NULL,
  digest    INTEGER NOT NULL,
  build     TEXT    NOT NULL,
  exercise  TEXT    NOT NULL, -- JSON: the statistics of the run
  scenario  TEXT    NOT NULL, -- as it was run
  PRIMARY KEY (campaign, signature, seed)
) STRICT, WITHOUT ROWID;

CREATE TABLE mute (
  signature TEXT    PRIMARY KEY,
  reason    TEXT    NOT NULL,
  since     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
