-- Which users have some three characters in a row in their address or names: what a pattern with a
-- star before its end is looked up in. It only finds candidates, and each is compared with the
-- pattern then.
--
-- It knows users by numbers of their own, because the implicit number of a row may change when the
-- file is vacuumed. Those of an application stand together (its own number, and 32 bits after it),
-- so that a search reads nothing of the other applications.
ALTER TABLE applications ADD COLUMN number INTEGER;
UPDATE applications SET number = n.number
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM applications) n
    WHERE n.id = applications.id;
CREATE UNIQUE INDEX applications_by_number ON applications (number);

ALTER TABLE experience_users ADD COLUMN number INTEGER;
UPDATE experience_users SET number = n.number
    FROM (SELECT u.application_id, u.id, (a.number << 32)
            + row_number() OVER (PARTITION BY u.application_id ORDER BY u.id) AS number
        FROM experience_users u JOIN applications a ON a.id = u.application_id) n
    WHERE n.application_id = experience_users.application_id AND n.id = experience_users.id;
CREATE UNIQUE INDEX experience_users_by_number ON experience_users (number);

CREATE VIRTUAL TABLE user_search USING fts5(
    email, first_name, last_name,
    tokenize = 'trigram case_sensitive 1', detail = none, content = '', contentless_delete = 1
);
INSERT INTO user_search (rowid, email, first_name, last_name)
    SELECT number, email_key, first_name_key, last_name_key FROM experience_users ORDER BY number;

-- Numbers that applications had before all their users were removed. What is left under them is
-- removed later, little by little.
CREATE TABLE user_search_left (
    number INTEGER NOT NULL PRIMARY KEY
) STRICT;

-- Kept by the database itself, so that nobody can forget it.
CREATE TRIGGER applications_numbered AFTER INSERT ON applications BEGIN
    UPDATE applications SET number = 1 + max(
            (SELECT coalesce(max(number), 0) FROM applications),
            (SELECT coalesce(max(number), 0) FROM user_search_left))
        WHERE id = NEW.id;
END;

CREATE TRIGGER experience_users_added AFTER INSERT ON experience_users BEGIN
    UPDATE experience_users SET number = (
            SELECT coalesce(max(u.number), a.number << 32) + 1 FROM applications a
            LEFT JOIN experience_users u
                ON u.number > a.number << 32 AND u.number < (a.number + 1) << 32
            WHERE a.id = NEW.application_id)
        WHERE application_id = NEW.application_id AND id = NEW.id;
    INSERT INTO user_search (rowid, email, first_name, last_name)
        SELECT number, email_key, first_name_key, last_name_key FROM experience_users
        WHERE application_id = NEW.application_id AND id = NEW.id;
END;

CREATE TRIGGER experience_users_renamed
    AFTER UPDATE OF email_key, first_name_key, last_name_key ON experience_users
    WHEN OLD.email_key IS NOT NEW.email_key OR OLD.first_name_key IS NOT NEW.first_name_key
        OR OLD.last_name_key IS NOT NEW.last_name_key
BEGIN
    DELETE FROM user_search WHERE rowid = OLD.number;
    INSERT INTO user_search (rowid, email, first_name, last_name)
        VALUES (NEW.number, NEW.email_key, NEW.first_name_key, NEW.last_name_key);
END;

CREATE TRIGGER experience_users_removed AFTER DELETE ON experience_users
    WHEN OLD.number >> 32 = (SELECT number FROM applications WHERE id = OLD.application_id)
BEGIN
    DELETE FROM user_search WHERE rowid = OLD.number;
END;
