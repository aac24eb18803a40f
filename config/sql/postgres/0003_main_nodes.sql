-- min_release: 1
-- Which processes serve these stores, and which of them holds the lease on which scheduled work. Times are the
-- database's own: the nodes' clocks may differ.

CREATE TABLE nodes (
    node          text        COLLATE "C" NOT NULL PRIMARY KEY,
    serves_data   boolean     NOT NULL,
    serves_admin  boolean     NOT NULL,
    release       text        NOT NULL,
    applied       bigint      NOT NULL,
    started_at    timestamptz NOT NULL,
    seen_at       timestamptz NOT NULL
);

CREATE INDEX nodes_by_seen ON nodes (seen_at);

-- A row stays when its lease is given up, since its fencing number must never come back.
CREATE TABLE leases (
    work     text        COLLATE "C" NOT NULL PRIMARY KEY,
    node     text        NOT NULL,   -- empty: nobody
    fence    bigint      NOT NULL,
    ends_at  timestamptz NOT NULL
);
