-- min_release: 1
-- Usage: written every few seconds by every node, and worth less than keys and audit; so in a schema of its own,
-- which backups and grants may treat apart.
-- Times are milliseconds since the epoch, UTC. Never edit a released migration: add the next number.

-- Not IF NOT EXISTS: that needs the right to create one also where an administrator has made it.
DO $$
BEGIN
    IF to_regnamespace('portcullis_usage') IS NULL THEN
        CREATE SCHEMA portcullis_usage;
    END IF;
END
$$;

CREATE TABLE portcullis_usage.minutes (
    minute          bigint   NOT NULL,
    tenant          text     COLLATE "C" NOT NULL,
    key_id          text     COLLATE "C" NOT NULL,   -- empty: a request without a key
    version         integer  NOT NULL,
    route           text     COLLATE "C" NOT NULL,   -- empty: no route matched
    requests        bigint   NOT NULL,
    status_4xx      bigint   NOT NULL,
    status_5xx      bigint   NOT NULL,
    status_401      bigint   NOT NULL,
    status_403      bigint   NOT NULL,
    status_429      bigint   NOT NULL,
    bytes_in        bigint   NOT NULL,
    bytes_out       bigint   NOT NULL,
    latency_us_sum  bigint   NOT NULL,
    latency         bigint[] NOT NULL,   -- the histogram's buckets
    PRIMARY KEY (minute, tenant, key_id, version, route)
) PARTITION BY RANGE (minute);

CREATE INDEX minutes_by_key    ON portcullis_usage.minutes (key_id, minute);
CREATE INDEX minutes_by_tenant ON portcullis_usage.minutes (tenant, minute);

-- The partition of the UTC day that begins at `day` (milliseconds), unless it is there. Made aside and attached,
-- since that keeps out nobody who reads or writes the other days.
CREATE FUNCTION portcullis_usage.make_day(day bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := 'minutes_' || to_char(to_timestamp(day / 1000) AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    PERFORM pg_advisory_xact_lock(7091540, 2); -- of several nodes at once, one makes it
    -- Not to_regclass(), which may still remember that there was none before the wait.
    IF EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'portcullis_usage'::regnamespace) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE portcullis_usage.%I (LIKE portcullis_usage.minutes INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE portcullis_usage.minutes ATTACH PARTITION portcullis_usage.%I'
                   ' FOR VALUES FROM (%s) TO (%s)', name, day, day + 86400000);
END
$$;

-- Drops every partition whose last minute is before `bound`; how many.
CREATE FUNCTION portcullis_usage.drop_days_before(bound bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    part record;
    dropped bigint := 0;
BEGIN
    FOR part IN
        SELECT c.oid::regclass AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'portcullis_usage.minutes'::regclass AND c.relname ~ '^minutes_[0-9]{8}$'
          AND extract(epoch FROM (to_date(right(c.relname, 8), 'YYYYMMDD') + 1)::timestamp)::bigint * 1000 <= bound
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', part.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

-- The last batch of each node: what makes a batch apply at most once.
CREATE TABLE portcullis_usage.applied (
    node        text   COLLATE "C" NOT NULL PRIMARY KEY,
    sequence    bigint NOT NULL,
    applied_at  bigint NOT NULL
);

CREATE TABLE portcullis_usage.last_uses (
    key_id   text    COLLATE "C" NOT NULL,
    version  integer NOT NULL,
    at       bigint  NOT NULL,
    address  text    NOT NULL,
    PRIMARY KEY (key_id, version)
);
