-- Which processes serve this store, how far each has applied the change sequence, and who does the scheduled work.
-- Times are milliseconds since the epoch, UTC. Never edit a released migration: add the next number.

CREATE TABLE nodes (
    node          TEXT    NOT NULL PRIMARY KEY,
    serves_data   INTEGER NOT NULL CHECK (serves_data IN (0, 1)),
    serves_admin  INTEGER NOT NULL CHECK (serves_admin IN (0, 1)),
    release       TEXT    NOT NULL,
    applied       INTEGER NOT NULL,     -- all its workers have applied the change sequence up to here
    started_at    INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A row stays when its lease ends: the fencing number must go on growing.
CREATE TABLE leases (
    work     TEXT    NOT NULL PRIMARY KEY,
    node     TEXT    NOT NULL,
    fence    INTEGER NOT NULL,
    ends_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
