-- What an application offers to the people who sign in to it; an application without a row offers nothing.
CREATE TABLE experience_sign_in (
    application_id TEXT NOT NULL PRIMARY KEY REFERENCES applications (id),
    settings       TEXT NOT NULL
);
-- Who failed to sign in to an application, or is known to it: digests. A row is forgotten at `until`. Whoever is known
-- is so to an account.
CREATE TABLE user_sign_in_attempts (
    application_id TEXT   NOT NULL REFERENCES applications (id),
    who            TEXT   NOT NULL,
    known          BIGINT NOT NULL,
    count          BIGINT NOT NULL,
    last           BIGINT NOT NULL,
    until          BIGINT NOT NULL,
    account        TEXT,
    PRIMARY KEY (application_id, who)
);
CREATE INDEX user_sign_in_attempts_by_age ON user_sign_in_attempts (until);
CREATE INDEX user_sign_in_attempts_by_count
    ON user_sign_in_attempts (application_id, known, count, until);
CREATE INDEX user_sign_in_attempts_by_account
    ON user_sign_in_attempts (application_id, account, last);
