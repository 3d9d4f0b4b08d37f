-- Since when an administrator may do nothing; NULL if they may.
ALTER TABLE users ADD COLUMN disabled BIGINT;
-- They are listed in these orders.
CREATE INDEX users_by_email ON users (email_key, id);
CREATE INDEX users_by_created ON users (created, id);
CREATE INDEX users_by_updated ON users (updated, id);
