-- +goose Up

-- How many runs were kept in each minute.
CREATE TABLE pace (
  campaign INTEGER NOT NULL REFERENCES campaign,
  minute   INTEGER NOT NULL, -- since 1970
  runs     INTEGER NOT NULL,
  PRIMARY KEY (campaign, minute)
) STRICT, WITHOUT ROWID;
