-- min_release: 1
-- Tenants, keys, the change sequence, the audit log, the Vault outbox and quota counters, in the schema `portcullis`.
-- The first line says which migration a portcullis must know to run on a database that has this one: a release that
-- only adds what its neighbour does not miss keeps the number, so that both run side by side.
-- Times are milliseconds since the epoch, UTC. Never edit a released migration: add the next number.
-- Text that is sorted or searched is compared byte by byte, whatever the database's collation.

CREATE TABLE tenants (
    id          text    COLLATE "C" NOT NULL PRIMARY KEY,
    name        text    NOT NULL,
    plan        text,
    suspended   boolean NOT NULL DEFAULT false,
    created_at  bigint  NOT NULL
);

CREATE TABLE keys (
    key_id          text    COLLATE "C" NOT NULL PRIMARY KEY,
    tenant          text    COLLATE "C" NOT NULL REFERENCES tenants (id),
    owner_type      text    NOT NULL,
    owner_id        text    COLLATE "C" NOT NULL,
    owner_name      text    NOT NULL,
    name            text    NOT NULL,
    environment     text    COLLATE "C" NOT NULL CHECK (environment IN ('live', 'test')),
    scopes          text    NOT NULL,
    plan            text,
    limits          text    NOT NULL,
    allowed_ips     text    NOT NULL,
    description     text,
    metadata        text    NOT NULL,
    external_id     text    COLLATE "C",
    status          text    COLLATE "C" NOT NULL CHECK (status IN ('pending', 'active', 'disabled', 'revoked')),
    created_at      bigint  NOT NULL,
    created_by      text    NOT NULL,
    updated_at      bigint  NOT NULL,
    rotated_at      bigint  NOT NULL,
    expires_at      bigint,
    revoked_at      bigint,
    revoked_reason  text,
    management      boolean NOT NULL,
    record_version  bigint  NOT NULL,
    next_version    integer NOT NULL,            -- a number is never given twice: the Vault may know a dropped one
    name_key        text    COLLATE "C" NOT NULL, -- name, ASCII lower case: what lists sort by
    search_text     text    COLLATE "C" NOT NULL  -- name, key_id and every last4, ASCII lower case, a line each
);

-- One index per order of the list; status is what lists filter by most.
CREATE INDEX keys_by_tenant_created ON keys (tenant, created_at, key_id, status);
CREATE INDEX keys_by_tenant_name    ON keys (tenant, name_key, key_id, status);
CREATE INDEX keys_by_created        ON keys (created_at, key_id, status);
CREATE INDEX keys_by_name           ON keys (name_key, key_id, status);
CREATE INDEX keys_by_owner          ON keys (owner_id, tenant, created_at, key_id);
CREATE INDEX keys_pending           ON keys (created_at, key_id) WHERE status = 'pending';
CREATE UNIQUE INDEX keys_external_id ON keys (tenant, external_id)
    WHERE external_id IS NOT NULL AND status <> 'revoked';

CREATE TABLE key_versions (
    key_id      text    COLLATE "C" NOT NULL REFERENCES keys (key_id) ON DELETE CASCADE,
    number      integer NOT NULL,
    last4       text    NOT NULL,
    status      text    COLLATE "C" NOT NULL CHECK (status IN ('pending', 'live', 'ended')),
    created_at  bigint  NOT NULL,
    ends_at     bigint,
    PRIMARY KEY (key_id, number)
);

CREATE INDEX key_versions_pending ON key_versions (created_at, key_id, number) WHERE status = 'pending';

-- Readers must never see sequence n+1 before n, which a sequence object or identity column does not promise: it
-- numbers by the order of asking, and transactions commit in another. So the number is taken from this one row,
-- whose lock its taker holds until the commit. (An advisory lock around nextval() would order just as well; the row
-- is undone by a rollback, is never ahead of what was committed, and comes back with a restored dump.)
CREATE TABLE change_counter (
    only_row  boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (only_row),
    last      bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO change_counter (last) VALUES (0);

CREATE TABLE changes (
    sequence        bigint NOT NULL PRIMARY KEY,
    subject         text   NOT NULL CHECK (subject IN ('key', 'tenant')),
    id              text   NOT NULL,
    record_version  bigint NOT NULL,
    at              bigint NOT NULL
);

CREATE TABLE audit (
    sequence     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           bigint NOT NULL,
    tenant       text   COLLATE "C" NOT NULL,      -- empty: of the platform itself
    actor_type   text   NOT NULL,
    actor        text   NOT NULL,
    action       text   COLLATE "C" NOT NULL,
    target_type  text   NOT NULL,
    target       text   COLLATE "C" NOT NULL,
    details      text   NOT NULL,
    address      text   NOT NULL,
    user_agent   text   NOT NULL,
    request_id   text   NOT NULL
);

CREATE INDEX audit_by_tenant ON audit (tenant, sequence);
CREATE INDEX audit_by_target ON audit (target, sequence);
CREATE INDEX audit_by_action ON audit (action, sequence);

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append only';
END
$$;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- The outbox: Vault entries that are still to be destroyed.
CREATE TABLE vault_destructions (
    key_id     text   COLLATE "C" NOT NULL PRIMARY KEY,
    tenant     text   NOT NULL,
    queued_at  bigint NOT NULL
);

CREATE INDEX vault_destructions_queue ON vault_destructions (queued_at, key_id);

CREATE TABLE quotas (
    policy        bytea  NOT NULL,
    partition     bytea  NOT NULL,
    window_start  bigint NOT NULL,
    window_end    bigint NOT NULL,
    used          bigint NOT NULL,
    granted       bigint NOT NULL,  -- by the last debit: what that statement returns
    PRIMARY KEY (policy, partition, window_start, window_end)
);

CREATE INDEX quotas_by_end ON quotas (window_end);
