-- What one machine keeps. Instants are milliseconds since 1970 UTC. Outcomes are not here: they lie in one table for
-- each period, made when its first outcome arrives (src/sqlite/periods.rs).

CREATE TABLE installation (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    identity        BLOB NOT NULL,
    first_start     INTEGER NOT NULL,
    canary          BLOB NOT NULL,
    last_change     INTEGER NOT NULL DEFAULT 0,
    actions_change  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE monitors (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            BLOB NOT NULL UNIQUE,
    owner           TEXT,
    key             TEXT,
    slug            TEXT,
    revision        INTEGER NOT NULL,
    effective_from  INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    deleted_at      INTEGER
) STRICT;
CREATE UNIQUE INDEX monitors_key ON monitors (ifnull(owner, ''), key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX monitors_slug ON monitors (ifnull(owner, ''), slug) WHERE deleted_at IS NULL;
CREATE INDEX monitors_deleted ON monitors (deleted_at) WHERE deleted_at IS NOT NULL;

-- The feed of changes is the order of `change`.
CREATE TABLE revisions (
    change          INTEGER PRIMARY KEY,
    monitor         INTEGER NOT NULL,
    revision        INTEGER NOT NULL,
    effective_from  INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    declared        TEXT,
    sealed          BLOB,
    UNIQUE (monitor, revision)
) STRICT;

CREATE TABLE actions (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    owner           TEXT,
    name            TEXT NOT NULL,
    document        TEXT NOT NULL,
    sealed          BLOB,
    broken          TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX actions_name ON actions (ifnull(owner, ''), name);

CREATE TABLE applied_files (
    owner           TEXT PRIMARY KEY,
    hash            BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A snapshot of what is in memory; newer outcomes are replayed on top of it.
CREATE TABLE observed (
    monitor         INTEGER PRIMARY KEY,
    seq             INTEGER NOT NULL,
    hidden_until    INTEGER NOT NULL,
    period          INTEGER NOT NULL,
    head            INTEGER NOT NULL,
    cells           BLOB NOT NULL
) STRICT;

CREATE TABLE state (
    monitor         INTEGER PRIMARY KEY,
    state           TEXT NOT NULL
) STRICT;

-- `replay_from`: rows after this one may be newer than the snapshot; NULL when none is.
CREATE TABLE periods (
    period          INTEGER PRIMARY KEY,
    replay_from     INTEGER
) STRICT;

-- Where a monitor's chain of outcomes begins in a period that is no longer its newest.
CREATE TABLE heads (
    period          INTEGER NOT NULL,
    monitor         INTEGER NOT NULL,
    head            INTEGER NOT NULL,
    PRIMARY KEY (period, monitor)
) STRICT, WITHOUT ROWID;

CREATE TABLE certificates (
    monitor         INTEGER NOT NULL,
    vantage         INTEGER NOT NULL,
    seen_at         INTEGER NOT NULL,
    certificate     TEXT NOT NULL,
    PRIMARY KEY (monitor, vantage)
) STRICT, WITHOUT ROWID;

CREATE TABLE evidence (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    monitor         INTEGER NOT NULL,
    vantage         INTEGER NOT NULL,
    slot            INTEGER NOT NULL,
    try             INTEGER NOT NULL,
    incident        INTEGER,
    at              INTEGER NOT NULL,
    code            INTEGER NOT NULL,
    evidence        TEXT NOT NULL
) STRICT;
CREATE INDEX evidence_monitor ON evidence (monitor, id);
CREATE INDEX evidence_incident ON evidence (monitor, incident, id);
CREATE INDEX evidence_loose ON evidence (at) WHERE incident IS NULL;

CREATE TABLE transitions (
    id              INTEGER PRIMARY KEY,
    monitor         INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    since           INTEGER NOT NULL,
    from_health     TEXT NOT NULL,
    to_health       TEXT NOT NULL,
    code            INTEGER NOT NULL,
    text            TEXT NOT NULL
) STRICT;
CREATE INDEX transitions_monitor ON transitions (monitor, id);

CREATE TABLE incidents (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    monitor         INTEGER NOT NULL,
    monitor_name    TEXT NOT NULL,
    opened_at       INTEGER NOT NULL,
    first_failure_at INTEGER NOT NULL,
    closed_at       INTEGER,
    cause           TEXT NOT NULL,
    scope           TEXT NOT NULL,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    not_observed_since INTEGER
) STRICT;
CREATE UNIQUE INDEX incidents_open ON incidents (monitor) WHERE closed_at IS NULL;
CREATE INDEX incidents_monitor ON incidents (monitor, id);
CREATE INDEX incidents_closed ON incidents (closed_at);

CREATE TABLE timeline (
    id              INTEGER PRIMARY KEY,
    incident        INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    text            TEXT NOT NULL
) STRICT;
CREATE INDEX timeline_incident ON timeline (incident, id);

CREATE TABLE events (
    seq             INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    at              INTEGER NOT NULL,
    document        TEXT NOT NULL,
    routed          INTEGER NOT NULL DEFAULT 0,
    reasons         TEXT
) STRICT;
CREATE INDEX events_unrouted ON events (seq) WHERE routed = 0;
CREATE INDEX events_at ON events (at);

CREATE TABLE deliveries (
    seq             INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    event           INTEGER NOT NULL,
    action          TEXT NOT NULL,
    action_name     TEXT NOT NULL,
    chain           TEXT NOT NULL,
    state           TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    due             INTEGER NOT NULL,
    attempts        TEXT NOT NULL,
    reason          TEXT NOT NULL,
    monitor         INTEGER,
    incident        INTEGER,
    leased_until    INTEGER,
    sending_since   INTEGER
) STRICT;
CREATE INDEX deliveries_waiting ON deliveries (chain, created_at, seq) WHERE state = 'waiting';
CREATE INDEX deliveries_created ON deliveries (created_at, id);
CREATE INDEX deliveries_state ON deliveries (state, created_at, id);
CREATE INDEX deliveries_monitor ON deliveries (monitor, created_at, id);
CREATE INDEX deliveries_incident ON deliveries (incident, created_at, id);

CREATE TABLE watermarks (
    shard           INTEGER PRIMARY KEY,
    published       INTEGER NOT NULL,
    accounted       INTEGER NOT NULL
) STRICT;

CREATE TABLE gaps (
    id              INTEGER PRIMARY KEY,
    shard           INTEGER NOT NULL,
    from_at         INTEGER NOT NULL,
    to_at           INTEGER NOT NULL,
    code            INTEGER NOT NULL
) STRICT;
CREATE INDEX gaps_shard ON gaps (shard, to_at);

CREATE TABLE leases (
    shard           INTEGER PRIMARY KEY,
    node            BLOB NOT NULL,
    epoch           INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT NOT NULL,
    scope           TEXT NOT NULL,
    digest          BLOB NOT NULL UNIQUE,
    prefix          TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    revoked_at      INTEGER
) STRICT;

CREATE TABLE sessions (
    digest          BLOB PRIMARY KEY,
    csrf            BLOB NOT NULL,
    created_at      INTEGER NOT NULL,
    used_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
