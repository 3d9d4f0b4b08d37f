-- Times are milliseconds since 1970, ids 24 lower-case hexadecimal digits, `*_key` columns the
-- lower-cased form that values are compared, sorted and matched by. The index of a column that may
-- have no value is in the order that lists ask for, which begins with nothing.

CREATE TABLE settings (
    name  TEXT  NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE users (
    id               TEXT   NOT NULL PRIMARY KEY,
    email            TEXT   NOT NULL,
    email_key        TEXT   NOT NULL UNIQUE,
    password_hash    TEXT   NOT NULL,
    profile          TEXT   NOT NULL,
    created          BIGINT NOT NULL,
    updated          BIGINT NOT NULL,
    password_updated BIGINT NOT NULL,
    token_cutoff     BIGINT
);

CREATE TABLE applications (
    id           TEXT   NOT NULL PRIMARY KEY,
    name         TEXT   NOT NULL,
    name_key     TEXT   NOT NULL,
    description  TEXT,
    created      BIGINT NOT NULL,
    updated      BIGINT NOT NULL,
    token_cutoff BIGINT,
    kept         TEXT   NOT NULL
);
CREATE INDEX applications_by_name ON applications (name_key, id);
CREATE INDEX applications_by_created ON applications (created, id);
CREATE INDEX applications_by_updated ON applications (updated, id);

CREATE TABLE experience_users (
    application_id   TEXT   NOT NULL REFERENCES applications (id),
    id               TEXT   NOT NULL,
    email            TEXT   NOT NULL,
    email_key        TEXT   NOT NULL,
    first_name       TEXT,
    first_name_key   TEXT,
    last_name        TEXT,
    last_name_key    TEXT,
    password_hash    TEXT   NOT NULL,
    created          BIGINT NOT NULL,
    updated          BIGINT NOT NULL,
    password_updated BIGINT,
    last_login       BIGINT,
    token_cutoff     BIGINT,
    tags             TEXT   NOT NULL,
    PRIMARY KEY (application_id, id),
    UNIQUE (application_id, email_key)
);
CREATE INDEX experience_users_by_first_name ON experience_users (application_id, first_name_key NULLS FIRST, id);
CREATE INDEX experience_users_by_last_name ON experience_users (application_id, last_name_key NULLS FIRST, id);
CREATE INDEX experience_users_by_created ON experience_users (application_id, created, id);
CREATE INDEX experience_users_by_updated ON experience_users (application_id, updated, id);
CREATE INDEX experience_users_by_last_login ON experience_users (application_id, last_login NULLS FIRST, id);

CREATE TABLE experience_groups (
    application_id TEXT   NOT NULL REFERENCES applications (id),
    id             TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    name_key       TEXT   NOT NULL,
    description    TEXT,
    parent_id      TEXT,
    created        BIGINT NOT NULL,
    updated        BIGINT NOT NULL,
    tags           TEXT   NOT NULL,
    endpoint_ids   TEXT   NOT NULL,
    device_ids     TEXT   NOT NULL,
    device_tags    TEXT   NOT NULL,
    device_query   TEXT,
    PRIMARY KEY (application_id, id),
    FOREIGN KEY (application_id, parent_id) REFERENCES experience_groups (application_id, id)
);
CREATE INDEX experience_groups_by_parent ON experience_groups (application_id, parent_id);
CREATE INDEX experience_groups_by_name ON experience_groups (application_id, name_key, id);
CREATE INDEX experience_groups_by_created ON experience_groups (application_id, created, id);
CREATE INDEX experience_groups_by_updated ON experience_groups (application_id, updated, id);

CREATE TABLE memberships (
    application_id TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    group_id       TEXT NOT NULL,
    PRIMARY KEY (application_id, user_id, group_id),
    FOREIGN KEY (application_id, user_id) REFERENCES experience_users (application_id, id),
    FOREIGN KEY (application_id, group_id) REFERENCES experience_groups (application_id, id)
);
CREATE INDEX memberships_by_group ON memberships (application_id, group_id, user_id);

-- Tokens of applications and of administrators, and the sessions that signing in begins.
CREATE TABLE api_tokens (
    id           TEXT   NOT NULL PRIMARY KEY,
    kind         TEXT   NOT NULL,
    owner_id     TEXT   NOT NULL,
    creator_id   TEXT,
    creator_type TEXT,
    creator_name TEXT,
    name         TEXT   NOT NULL,
    name_key     TEXT   NOT NULL,
    description  TEXT,
    created      BIGINT NOT NULL,
    updated      BIGINT NOT NULL,
    expires      BIGINT,
    scope        TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    default_role TEXT,
    org_roles    TEXT
);
CREATE INDEX api_tokens_by_owner ON api_tokens (owner_id, kind, name_key, id);

-- Attempts to sign in that have not succeeded, by who makes them.
CREATE TABLE sign_in_attempts (
    who   TEXT   NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    last  BIGINT NOT NULL
);
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (last);

-- Answers to requests that carried an Idempotency-Key, for a day.
CREATE TABLE answers (
    token_id       TEXT   NOT NULL,
    key_digest     BYTEA  NOT NULL,
    application_id TEXT,
    fingerprint    BYTEA  NOT NULL,
    created        BIGINT NOT NULL,
    status         BIGINT NOT NULL,
    etag           TEXT,
    body           BYTEA  NOT NULL,
    mint           TEXT,
    PRIMARY KEY (token_id, key_digest)
);
CREATE INDEX answers_by_age ON answers (created);
CREATE INDEX answers_by_application ON answers (application_id);
