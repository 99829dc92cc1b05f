-- Heartbeats: what their jobs have reported, and what it has come to. Beats are partitioned by day like outcomes.

-- Moves with every beat: narrow, room on every page, and an index only on `wake`, which is never later than `deadline`
-- and seldom moves. A row with count 0 is there to be locked; its heartbeat never beat.
CREATE TABLE tracks (
    monitor         bigint PRIMARY KEY,
    count           bigint NOT NULL,
    track           bytea NOT NULL,
    -- The day of the last beat: those of one heartbeat never go back to an earlier one.
    last_day        integer NOT NULL,
    -- When a decision is wanted.
    deadline        bigint,
    wake            bigint
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE tracks ALTER COLUMN track SET STORAGE MAIN;
CREATE INDEX tracks_wake ON tracks (wake, monitor) WHERE wake IS NOT NULL;

-- A number for each batch of beats. It was used once, so that `last_value` is always one that was given out.
CREATE SEQUENCE beat_batches;
SELECT nextval('beat_batches');

-- `id` is the number of the batch times 1024 and the place in it: the order of keeping.
CREATE TABLE beats (
    monitor         bigint NOT NULL,
    number          bigint NOT NULL,
    day             integer NOT NULL,
    id              bigint NOT NULL,
    at              bigint NOT NULL,
    happened        bigint,
    signal          smallint NOT NULL,
    ignored         boolean NOT NULL,
    run             bytea,
    duration        bigint,
    slot            bigint,
    -- Bytes: clients say what no text may hold.
    via             bytea NOT NULL,
    body            bytea,
    PRIMARY KEY (monitor, number, day)
) PARTITION BY RANGE (day);
CREATE INDEX beats_id ON beats (id);

-- Since when each node hears, how far its beats are in, and until when it is waited for. It moves four times a second.
CREATE TABLE hearing (
    node            bytea PRIMARY KEY,
    begun           bigint NOT NULL,
    until           bigint NOT NULL,
    lease_until     bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE deaf (
    from_at         bigint NOT NULL,
    to_at           bigint NOT NULL,
    PRIMARY KEY (from_at, to_at)
);
