-- What a query asks of tags and endpoints is asked of these tables, which say again in rows what
-- a JSON column of their owner says; each is written with it, in one transaction.

CREATE TABLE user_tags (
    application_id TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    tag            TEXT NOT NULL,
    value          TEXT NOT NULL,
    PRIMARY KEY (application_id, user_id, tag),
    FOREIGN KEY (application_id, user_id) REFERENCES experience_users (application_id, id)
);
CREATE INDEX user_tags_by_tag ON user_tags (application_id, tag, value, user_id);

CREATE TABLE group_tags (
    application_id TEXT NOT NULL,
    group_id       TEXT NOT NULL,
    tag            TEXT NOT NULL,
    value          TEXT NOT NULL,
    PRIMARY KEY (application_id, group_id, tag),
    FOREIGN KEY (application_id, group_id) REFERENCES experience_groups (application_id, id)
);
CREATE INDEX group_tags_by_tag ON group_tags (application_id, tag, value, group_id);

CREATE TABLE group_endpoints (
    application_id TEXT NOT NULL,
    group_id       TEXT NOT NULL,
    endpoint_id    TEXT NOT NULL,
    PRIMARY KEY (application_id, group_id, endpoint_id),
    FOREIGN KEY (application_id, group_id) REFERENCES experience_groups (application_id, id)
);
CREATE INDEX group_endpoints_by_endpoint ON group_endpoints (application_id, endpoint_id, group_id);
