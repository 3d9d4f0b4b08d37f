ALTER TABLE experience_users ADD COLUMN first_name_start TEXT GENERATED ALWAYS AS (substr(first_name_key, 1, 512)) VIRTUAL;
ALTER TABLE experience_users ADD COLUMN last_name_start TEXT GENERATED ALWAYS AS (substr(last_name_key, 1, 512)) VIRTUAL;
CREATE INDEX experience_users_by_first_name ON experience_users (application_id, first_name_start, id);
CREATE INDEX experience_users_by_last_name ON experience_users (application_id, last_name_start, id);
