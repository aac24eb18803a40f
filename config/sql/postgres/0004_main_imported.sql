-- min_release: 1
-- Keys that another gateway issued: which key a presented text belongs to. `digest` is an HMAC under the import
-- pepper, which lies in the Vault; `kind` says of what (domain/foreign_key.hpp). Rows outlive the key's revocation.

CREATE TABLE imported_keys (
    kind    smallint NOT NULL,
    digest  bytea    NOT NULL,
    key_id  text     COLLATE "C" NOT NULL UNIQUE REFERENCES keys (key_id) ON DELETE CASCADE,
    PRIMARY KEY (kind, digest)
);
