-- Keys that another gateway issued: which key a presented text belongs to. `digest` is an HMAC under the import
-- pepper, which lies in the Vault; `kind` says of what (domain/foreign_key.hpp). Rows outlive the key's revocation.

CREATE TABLE imported_keys (
    kind    INTEGER NOT NULL,
    digest  BLOB    NOT NULL,
    key_id  TEXT    NOT NULL UNIQUE REFERENCES keys (key_id) ON DELETE CASCADE,
    PRIMARY KEY (kind, digest)
) STRICT, WITHOUT ROWID;
