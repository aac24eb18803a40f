-- Tenants, keys, the change sequence, the audit log, the Vault outbox and quota counters.
-- Times are milliseconds since the epoch, UTC. Never edit a released migration: add the next number.

CREATE TABLE tenants (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    plan        TEXT,
    suspended   INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)),
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    key_id          TEXT    NOT NULL PRIMARY KEY,
    tenant          TEXT    NOT NULL REFERENCES tenants (id),
    owner_type      TEXT    NOT NULL,
    owner_id        TEXT    NOT NULL,
    owner_name      TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    environment     TEXT    NOT NULL CHECK (environment IN ('live', 'test')),
    scopes          TEXT    NOT NULL,
    plan            TEXT,
    limits          TEXT    NOT NULL,
    allowed_ips     TEXT    NOT NULL,
    description     TEXT,
    metadata        TEXT    NOT NULL,
    external_id     TEXT,
    status          TEXT    NOT NULL CHECK (status IN ('pending', 'active', 'disabled', 'revoked')),
    created_at      INTEGER NOT NULL,
    created_by      TEXT    NOT NULL,
    updated_at      INTEGER NOT NULL,
    rotated_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    revoked_at      INTEGER,
    revoked_reason  TEXT,
    management      INTEGER NOT NULL CHECK (management IN (0, 1)),
    record_version  INTEGER NOT NULL,
    next_version    INTEGER NOT NULL,   -- a number is never given twice: the Vault may know a dropped one
    name_key        TEXT    NOT NULL,   -- name, ASCII lower case: what lists sort by
    search_text     TEXT    NOT NULL    -- name, key_id and every last4, ASCII lower case, a line each
) STRICT;

-- One index per order of the list, carrying what lists filter by, so that only rows that are shown are read
-- from the table: a million keys are searched within one index.
CREATE INDEX keys_by_tenant_created ON keys (tenant, created_at, key_id, status, environment, owner_id, search_text);
CREATE INDEX keys_by_tenant_name    ON keys (tenant, name_key, key_id, status, environment, owner_id, search_text);
CREATE INDEX keys_by_created        ON keys (created_at, key_id, status, environment, owner_id, search_text);
CREATE INDEX keys_by_name           ON keys (name_key, key_id, status, environment, owner_id, search_text);
CREATE INDEX keys_by_owner          ON keys (owner_id, tenant, created_at, key_id, status, environment);
CREATE INDEX keys_pending           ON keys (created_at, key_id) WHERE status = 'pending';
CREATE UNIQUE INDEX keys_external_id ON keys (tenant, external_id)
    WHERE external_id IS NOT NULL AND status <> 'revoked';

CREATE TABLE key_versions (
    key_id      TEXT    NOT NULL REFERENCES keys (key_id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    last4       TEXT    NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('pending', 'live', 'ended')),
    created_at  INTEGER NOT NULL,
    ends_at     INTEGER,
    PRIMARY KEY (key_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX key_versions_pending ON key_versions (created_at, key_id, number) WHERE status = 'pending';

-- Commit order is sequence order, since SQLite has one writer.
CREATE TABLE changes (
    sequence        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    subject         TEXT    NOT NULL CHECK (subject IN ('key', 'tenant')),
    id              TEXT    NOT NULL,
    record_version  INTEGER NOT NULL,
    at              INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    sequence     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    tenant       TEXT    NOT NULL,      -- empty: of the platform itself
    actor_type   TEXT    NOT NULL,
    actor        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    target_type  TEXT    NOT NULL,
    target       TEXT    NOT NULL,
    details      TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    user_agent   TEXT    NOT NULL,
    request_id   TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_by_tenant ON audit (tenant, sequence);
CREATE INDEX audit_by_target ON audit (target, sequence);
CREATE INDEX audit_by_action ON audit (action, sequence);

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;

-- The outbox: Vault entries that are still to be destroyed.
CREATE TABLE vault_destructions (
    key_id     TEXT    NOT NULL PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    queued_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX vault_destructions_queue ON vault_destructions (queued_at, key_id);

CREATE TABLE quotas (
    policy        BLOB    NOT NULL,
    partition     BLOB    NOT NULL,
    window_start  INTEGER NOT NULL,
    window_end    INTEGER NOT NULL,
    used          INTEGER NOT NULL,
    PRIMARY KEY (policy, partition, window_start, window_end)
) STRICT, WITHOUT ROWID;

CREATE INDEX quotas_by_end ON quotas (window_end);
