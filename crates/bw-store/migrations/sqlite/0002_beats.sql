-- Heartbeats. Beats are not here: they lie in one table for each day on which beats were kept (src/sqlite/days.rs).

-- The rows of a table have the ids from `first` to `last`; NULL: it is the newest. Ids go on over all tables.
CREATE TABLE beat_days (
    day             INTEGER PRIMARY KEY,
    date            INTEGER NOT NULL,
    first           INTEGER NOT NULL,
    last            INTEGER
) STRICT;

-- A snapshot of the tracks in memory; newer rows of the tables of days are replayed on top of it. `seen` is the row
-- that the track is of, `head` the newest beat, `leap` the newest beat of an earlier table.
CREATE TABLE tracks (
    monitor         INTEGER PRIMARY KEY,
    seen            INTEGER NOT NULL,
    head            INTEGER NOT NULL,
    leap            INTEGER NOT NULL,
    track           BLOB NOT NULL
) STRICT;

-- `replay_from`: rows after this one may be newer than the snapshot. `heard_until`: the furthest that any node has said
-- of how far its beats are in; NULL before the first.
CREATE TABLE beat_marks (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    replay_from     INTEGER NOT NULL,
    heard_until     INTEGER
) STRICT;
INSERT INTO beat_marks (id, replay_from) VALUES (1, 0);

CREATE TABLE deaf (
    id              INTEGER PRIMARY KEY,
    from_at         INTEGER NOT NULL,
    to_at           INTEGER NOT NULL
) STRICT;
CREATE INDEX deaf_from ON deaf (from_at, id);
