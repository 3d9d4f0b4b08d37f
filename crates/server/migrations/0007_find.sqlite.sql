-- What the search names is compared with the pattern without reading the users themselves.
DROP INDEX experience_users_by_number;
CREATE INDEX experience_users_by_number
    ON experience_users (number, email_key, first_name_key, last_name_key);

-- The index that keeps addresses apart does not say whose they are, so that to leave out who is not
-- in a group, in the order of addresses, every user had to be read.
CREATE INDEX experience_users_by_email ON experience_users (application_id, email_key, id);
