-- +goose Up

-- As in SQLite: whole numbers of 64 bits without a sign are stored as they are, with one.

CREATE TABLE campaign (
  id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan    TEXT    NOT NULL, -- JSON, of whoever made it
  build   TEXT    NOT NULL,
  began   BIGINT  NOT NULL, -- seconds since 1970
  seconds DOUBLE PRECISION NOT NULL DEFAULT 0, -- at work, over all times that it was resumed
  runs    BIGINT  NOT NULL DEFAULT 0,
  digest  BIGINT  NOT NULL DEFAULT 0,
  open    BOOLEAN NOT NULL DEFAULT false -- there is work for whoever joins
);

-- The runs that are done. Ranges do not overlap, and those that meet are one.
CREATE TABLE done (
  campaign BIGINT NOT NULL REFERENCES campaign,
  family   TEXT   NOT NULL,
  first    BIGINT NOT NULL,
  until    BIGINT NOT NULL, -- the first one that is not in it
  PRIMARY KEY (campaign, family, first)
);

CREATE TABLE cell (
  campaign BIGINT NOT NULL REFERENCES campaign,
  name     TEXT   NOT NULL,
  tally    TEXT   NOT NULL, -- JSON
  PRIMARY KEY (campaign, name)
);

-- Failures by signature, and the smallest example of each.
CREATE TABLE failures (
  campaign   BIGINT  NOT NULL REFERENCES campaign,
  id         TEXT    NOT NULL,
  signature  TEXT    NOT NULL, -- JSON
  canary     BOOLEAN NOT NULL, -- somebody planted it to be found
  count      BIGINT  NOT NULL,
  seen       BIGINT  NOT NULL, -- first, in seconds since 1970
  seed       BIGINT  NOT NULL, -- the lowest one
  sentence   TEXT    NOT NULL,
  operations BIGINT  NOT NULL,
  faults     BIGINT  NOT NULL,
  scenario   TEXT    NOT NULL,
  PRIMARY KEY (campaign, id)
);

-- The first 100 failures of each signature.
CREATE TABLE example (
  campaign  BIGINT NOT NULL REFERENCES campaign,
  signature TEXT   NOT NULL,
  seed      BIGINT NOT NULL,
  digest    BIGINT NOT NULL,
  build     TEXT   NOT NULL,
  exercise  TEXT   NOT NULL, -- JSON: the statistics of the run
  scenario  TEXT   NOT NULL, -- as it was run
  PRIMARY KEY (campaign, signature, seed)
);

CREATE TABLE mute (
  signature TEXT   PRIMARY KEY,
  reason    TEXT   NOT NULL,
  since     BIGINT NOT NULL
);

-- How many runs were kept in each minute.
CREATE TABLE pace (
  campaign BIGINT NOT NULL REFERENCES campaign,
  minute   BIGINT NOT NULL, -- since 1970
  runs     BIGINT NOT NULL,
  PRIMARY KEY (campaign, minute)
);
