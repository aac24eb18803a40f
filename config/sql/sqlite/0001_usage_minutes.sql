-- Usage, in a file of its own: written every few seconds, and worth less than keys and audit.
-- Times are milliseconds since the epoch, UTC. Never edit a released migration: add the next number.

CREATE TABLE usage_minutes (
    minute          INTEGER NOT NULL,
    tenant          TEXT    NOT NULL,
    key_id          TEXT    NOT NULL,   -- empty: a request without a key
    version         INTEGER NOT NULL,
    route           TEXT    NOT NULL,   -- empty: no route matched
    requests        INTEGER NOT NULL,
    status_4xx      INTEGER NOT NULL,
    status_5xx      INTEGER NOT NULL,
    status_401      INTEGER NOT NULL,
    status_403      INTEGER NOT NULL,
    status_429      INTEGER NOT NULL,
    bytes_in        INTEGER NOT NULL,
    bytes_out       INTEGER NOT NULL,
    latency_us_sum  INTEGER NOT NULL,
    latency         BLOB    NOT NULL,   -- the histogram's buckets as LEB128 numbers
    PRIMARY KEY (minute, tenant, key_id, version, route)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_minutes_by_key    ON usage_minutes (key_id, minute);
CREATE INDEX usage_minutes_by_tenant ON usage_minutes (tenant, minute);

-- The last batch of each node: what makes a batch apply at most once.
CREATE TABLE usage_applied (
    node        TEXT    NOT NULL PRIMARY KEY,
    sequence    INTEGER NOT NULL,
    applied_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE last_uses (
    key_id   TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    PRIMARY KEY (key_id, version)
) STRICT, WITHOUT ROWID;
