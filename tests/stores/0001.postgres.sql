-- A store as the first version of the schema had it, in PostgreSQL: README.md says who is in it.

CREATE TABLE settings (
    name  TEXT COLLATE "C"  NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE users (
    id               TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    email            TEXT COLLATE "C"   NOT NULL,
    email_key        TEXT COLLATE "C"   NOT NULL UNIQUE,
    password_hash    TEXT COLLATE "C"   NOT NULL,
    profile          TEXT COLLATE "C"   NOT NULL,
    created          BIGINT NOT NULL,
    updated          BIGINT NOT NULL,
    password_updated BIGINT NOT NULL,
    token_cutoff     BIGINT
);

CREATE TABLE applications (
    id           TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    name         TEXT COLLATE "C"   NOT NULL,
    name_key     TEXT COLLATE "C"   NOT NULL,
    description  TEXT COLLATE "C",
    created      BIGINT NOT NULL,
    updated      BIGINT NOT NULL,
    token_cutoff BIGINT,
    kept         TEXT COLLATE "C"   NOT NULL
);
CREATE INDEX applications_by_name ON applications (name_key, id);
CREATE INDEX applications_by_created ON applications (created, id);
CREATE INDEX applications_by_updated ON applications (updated, id);

CREATE TABLE experience_users (
    application_id   TEXT COLLATE "C"   NOT NULL REFERENCES applications (id),
    id               TEXT COLLATE "C"   NOT NULL,
    email            TEXT COLLATE "C"   NOT NULL,
    email_key        TEXT COLLATE "C"   NOT NULL,
    first_name       TEXT COLLATE "C",
    first_name_key   TEXT COLLATE "C",
    last_name        TEXT COLLATE "C",
    last_name_key    TEXT COLLATE "C",
    password_hash    TEXT COLLATE "C"   NOT NULL,
    created          BIGINT NOT NULL,
    updated          BIGINT NOT NULL,
    password_updated BIGINT,
    last_login       BIGINT,
    token_cutoff     BIGINT,
    tags             TEXT COLLATE "C"   NOT NULL,
    PRIMARY KEY (application_id, id),
    UNIQUE (application_id, email_key)
);
CREATE INDEX experience_users_by_first_name ON experience_users (application_id, first_name_key NULLS FIRST, id);
CREATE INDEX experience_users_by_last_name ON experience_users (application_id, last_name_key NULLS FIRST, id);
CREATE INDEX experience_users_by_created ON experience_users (application_id, created, id);
CREATE INDEX experience_users_by_updated ON experience_users (application_id, updated, id);
CREATE INDEX experience_users_by_last_login ON experience_users (application_id, last_login NULLS FIRST, id);

CREATE TABLE experience_groups (
    application_id TEXT COLLATE "C"   NOT NULL REFERENCES applications (id),
    id             TEXT COLLATE "C"   NOT NULL,
    name           TEXT COLLATE "C"   NOT NULL,
    name_key       TEXT COLLATE "C"   NOT NULL,
    description    TEXT COLLATE "C",
    parent_id      TEXT COLLATE "C",
    created        BIGINT NOT NULL,
    updated        BIGINT NOT NULL,
    tags           TEXT COLLATE "C"   NOT NULL,
    endpoint_ids   TEXT COLLATE "C"   NOT NULL,
    device_ids     TEXT COLLATE "C"   NOT NULL,
    device_tags    TEXT COLLATE "C"   NOT NULL,
    device_query   TEXT COLLATE "C",
    PRIMARY KEY (application_id, id),
    FOREIGN KEY (application_id, parent_id) REFERENCES experience_groups (application_id, id)
);
CREATE INDEX experience_groups_by_parent ON experience_groups (application_id, parent_id);
CREATE INDEX experience_groups_by_name ON experience_groups (application_id, name_key, id);
CREATE INDEX experience_groups_by_created ON experience_groups (application_id, created, id);
CREATE INDEX experience_groups_by_updated ON experience_groups (application_id, updated, id);

CREATE TABLE memberships (
    application_id TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL,
    group_id       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (application_id, user_id, group_id),
    FOREIGN KEY (application_id, user_id) REFERENCES experience_users (application_id, id),
    FOREIGN KEY (application_id, group_id) REFERENCES experience_groups (application_id, id)
);
CREATE INDEX memberships_by_group ON memberships (application_id, group_id, user_id);

CREATE TABLE api_tokens (
    id           TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    kind         TEXT COLLATE "C"   NOT NULL,
    owner_id     TEXT COLLATE "C"   NOT NULL,
    creator_id   TEXT COLLATE "C",
    creator_type TEXT COLLATE "C",
    creator_name TEXT COLLATE "C",
    name         TEXT COLLATE "C"   NOT NULL,
    name_key     TEXT COLLATE "C"   NOT NULL,
    description  TEXT COLLATE "C",
    created      BIGINT NOT NULL,
    updated      BIGINT NOT NULL,
    expires      BIGINT,
    scope        TEXT COLLATE "C"   NOT NULL,
    status       TEXT COLLATE "C"   NOT NULL,
    default_role TEXT COLLATE "C",
    org_roles    TEXT COLLATE "C"
);
CREATE INDEX api_tokens_by_owner ON api_tokens (owner_id, kind, name_key, id);

CREATE TABLE sign_in_attempts (
    who   TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    last  BIGINT NOT NULL
);
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (last);

CREATE TABLE answers (
    token_id       TEXT COLLATE "C"   NOT NULL,
    key_digest     BYTEA  NOT NULL,
    application_id TEXT COLLATE "C",
    fingerprint    BYTEA  NOT NULL,
    created        BIGINT NOT NULL,
    status         BIGINT NOT NULL,
    etag           TEXT COLLATE "C",
    body           BYTEA  NOT NULL,
    mint           TEXT COLLATE "C",
    PRIMARY KEY (token_id, key_digest)
);
CREATE INDEX answers_by_age ON answers (created);
CREATE INDEX answers_by_application ON answers (application_id);

CREATE TABLE guestlist_store (version BIGINT NOT NULL);
INSERT INTO guestlist_store VALUES (1);

INSERT INTO settings (name, value) VALUES ('signing_key', '\xbb4931035c922e0e42b0f8de524d08192f21117b7aaae4120f32480b49df0493');
INSERT INTO settings (name, value) VALUES ('organization', '\x366230396639653737343664363661363237643666616230');
INSERT INTO settings (name, value) VALUES ('issuer', '\x3132372e302e302e313a3337333131');
INSERT INTO users (id, email, email_key, password_hash, profile, created, updated, password_updated, token_cutoff) VALUES ('6b09f9e7746d66a627d6fab1', 'ada@example.com', 'ada@example.com', '$argon2id$v=19$m=19456,t=2,p=1$dUGTs5PYwbyRvE0aNr2M1A$sgP8aB642Wzvpr5JZ6MOvwO+flFZ0UtmErtZAEiGawg', '{}', 1795815911379, 1795815911379, 1795815911379, NULL);
INSERT INTO applications (id, name, name_key, description, created, updated, token_cutoff, kept) VALUES ('6b09f9e736474803fbf4b23a', 'Guests', 'guests', 'Who comes', 1795815911401, 1795815911401, NULL, '{}');
INSERT INTO experience_users (application_id, id, email, email_key, first_name, first_name_key, last_name, last_name_key, password_hash, created, updated, password_updated, last_login, token_cutoff, tags) VALUES ('6b09f9e736474803fbf4b23a', '6b09f9e8d2a408dd72a74e70', 'Grace@example.com', 'grace@example.com', 'Grace', 'grace', 'Hopper', 'hopper', '$argon2id$v=19$m=19456,t=2,p=1$Pak+Iyq+ReDEMZD6SbJ7pQ$HUQWrppw440zmNleBPyLO2mWhlEv9N9vCmZ7vhUGqvE', 1795815912863, 1795815912863, 1795815912863, NULL, NULL, '{"k-1":"0","shift":"it''s \"é\""}');
INSERT INTO experience_users (application_id, id, email, email_key, first_name, first_name_key, last_name, last_name_key, password_hash, created, updated, password_updated, last_login, token_cutoff, tags) VALUES ('6b09f9e736474803fbf4b23a', '6b09f9e9d2a408dd72a74e71', 'zoe@example.com', 'zoe@example.com', 'Zoë', 'zoë', NULL, NULL, '$argon2id$v=19$m=19456,t=2,p=1$1znvm+RZMZ0gVrqh/W3PTg$uxJuJxXm9VllShQKCRMVSG1hlekFawrrm6aG/60Iw+Q', 1795815913186, 1795815913186, 1795815913186, NULL, NULL, '{}');
INSERT INTO experience_users (application_id, id, email, email_key, first_name, first_name_key, last_name, last_name_key, password_hash, created, updated, password_updated, last_login, token_cutoff, tags) VALUES ('6b09f9e736474803fbf4b23a', '6b09fa0318d03d40ded104ed', 'emile@example.com', 'emile@example.com', 'Émile', 'émile', NULL, NULL, '$argon2id$v=19$m=19456,t=2,p=1$GzfSbnb2K7/bv2ffzgS5qQ$YYOOevagu+wxsjcNMk4WOi3UnTPcnE+Vnf218Y5+Qhc', 1795815939782, 1795815939782, 1795815939782, NULL, NULL, '{}');
INSERT INTO experience_groups (application_id, id, name, name_key, description, parent_id, created, updated, tags, endpoint_ids, device_ids, device_tags, device_query) VALUES ('6b09f9e736474803fbf4b23a', '6b09f9e8d2a408dd72a74e6e', 'Staff', 'staff', NULL, NULL, 1795815912625, 1795815912625, '{}', '[]', '[]', '[]', NULL);
INSERT INTO experience_groups (application_id, id, name, name_key, description, parent_id, created, updated, tags, endpoint_ids, device_ids, device_tags, device_query) VALUES ('6b09f9e736474803fbf4b23a', '6b09f9e8d2a408dd72a74e6f', 'Kitchen', 'kitchen', NULL, '6b09f9e8d2a408dd72a74e6e', 1795815912748, 1795815912748, '{}', '[]', '[]', '[]', NULL);
INSERT INTO memberships (application_id, user_id, group_id) VALUES ('6b09f9e736474803fbf4b23a', '6b09f9e8d2a408dd72a74e70', '6b09f9e8d2a408dd72a74e6f');
INSERT INTO memberships (application_id, user_id, group_id) VALUES ('6b09f9e736474803fbf4b23a', '6b09fa0318d03d40ded104ed', '6b09f9e8d2a408dd72a74e6e');
INSERT INTO api_tokens (id, kind, owner_id, creator_id, creator_type, creator_name, name, name_key, description, created, updated, expires, scope, status, default_role, org_roles) VALUES ('6b09f9e79024604e30afbf13', 'application', '6b09f9e736474803fbf4b23a', NULL, NULL, NULL, 'operator', 'operator', NULL, 1795815911511, 1795815911511, NULL, 'all.Application', 'active', NULL, NULL);
