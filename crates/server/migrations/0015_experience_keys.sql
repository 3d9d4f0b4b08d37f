-- What the keys that sign the tokens of an application's users are made of, beside the secret of the store:
-- neither is a key without the other. The newest of an application that has begun to sign does.
CREATE TABLE experience_keys (
    application_id TEXT   NOT NULL REFERENCES applications (id),
    kid            TEXT   NOT NULL,
    seed           BYTEA  NOT NULL,
    created        BIGINT NOT NULL,
    signs_from     BIGINT NOT NULL,
    PRIMARY KEY (application_id, kid)
);
