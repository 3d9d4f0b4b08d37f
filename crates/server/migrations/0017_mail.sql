-- What is to be done beside requests, as a row of the transaction that wants it. It is due at a moment, again
-- where it failed, and its row goes when it is done.
CREATE TABLE work (
    id             TEXT   NOT NULL PRIMARY KEY,
    kind           TEXT   NOT NULL,
    application_id TEXT   NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    due            BIGINT NOT NULL,
    attempts       BIGINT NOT NULL
);
CREATE INDEX work_by_due ON work (due);
CREATE INDEX work_by_application ON work (application_id);

-- What was mailed to a link's owner, each purpose of one user or address once: the newest. The secret is not here,
-- only its SHA-256. What the user was when it was made is compared when it is used.
CREATE TABLE links (
    application_id   TEXT   NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    purpose          TEXT   NOT NULL,
    subject          TEXT   NOT NULL,
    id               TEXT   NOT NULL,
    email            TEXT   NOT NULL,
    user_id          TEXT,
    secret           BYTEA  NOT NULL,
    created          BIGINT NOT NULL,
    expires          BIGINT NOT NULL,
    user_email       TEXT,
    password_updated BIGINT,
    details          TEXT   NOT NULL,
    PRIMARY KEY (application_id, purpose, subject),
    FOREIGN KEY (application_id, user_id) REFERENCES experience_users (application_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX links_by_secret ON links (application_id, secret);
CREATE UNIQUE INDEX links_by_id ON links (application_id, id);
CREATE INDEX links_by_created ON links (application_id, purpose, created, id);
CREATE INDEX links_by_user ON links (application_id, user_id);
CREATE INDEX links_by_end ON links (expires);

-- Mails, for a month. `seed` is what the secret of a link is made of, beside the secret of the store: neither tells
-- it without the other. It goes when the mail is sent, or will never be.
CREATE TABLE mails (
    application_id TEXT   NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    id             TEXT   NOT NULL,
    purpose        TEXT   NOT NULL,
    recipient      TEXT   NOT NULL,
    recipient_key  TEXT   NOT NULL,
    user_id        TEXT,
    created        BIGINT NOT NULL,
    expires        BIGINT,
    state          TEXT   NOT NULL,
    changed        BIGINT NOT NULL,
    attempts       BIGINT NOT NULL,
    error          TEXT,
    seed           BYTEA,
    details        TEXT   NOT NULL,
    PRIMARY KEY (application_id, id),
    FOREIGN KEY (application_id, user_id) REFERENCES experience_users (application_id, id) ON DELETE CASCADE
);
CREATE INDEX mails_by_recipient ON mails (application_id, recipient_key, created);
CREATE INDEX mails_by_created ON mails (application_id, created, id);
CREATE INDEX mails_by_user ON mails (application_id, user_id);
CREATE INDEX mails_by_age ON mails (created);

-- Since when it is known that the address of a user is theirs; NULL if it is not. Whoever has their mail has shown
-- it, and another address is not known to be theirs again.
ALTER TABLE experience_users ADD COLUMN email_verified BIGINT;
