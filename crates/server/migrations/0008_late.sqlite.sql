-- Numbers of users that `user_search` is yet to be told of: who came, went, or has another address or
-- name since. To tell it of each at once took as long as all else that a change does, and wrote as much
-- to the disk; of many together it is told in a fraction of that. Until then whoever searches looks at
-- these as well.
CREATE TABLE user_search_late (
    number INTEGER NOT NULL PRIMARY KEY
) STRICT;

-- When to put parts of that table together is for whoever tells it of changes to say.
INSERT INTO user_search (user_search, rank) VALUES ('automerge', 0);

DROP TRIGGER experience_users_added;
CREATE TRIGGER experience_users_added AFTER INSERT ON experience_users BEGIN
    UPDATE experience_users SET number = (
            SELECT coalesce(max(u.number), a.number << 32) + 1 FROM applications a
            LEFT JOIN experience_users u
                ON u.number > a.number << 32 AND u.number < (a.number + 1) << 32
            WHERE a.id = NEW.application_id)
        WHERE application_id = NEW.application_id AND id = NEW.id;
    INSERT INTO user_search_late (number)
        SELECT number FROM experience_users
        WHERE application_id = NEW.application_id AND id = NEW.id
        ON CONFLICT DO NOTHING;
END;

DROP TRIGGER experience_users_renamed;
CREATE TRIGGER experience_users_renamed
    AFTER UPDATE OF email_key, first_name_key, last_name_key ON experience_users
    WHEN OLD.email_key IS NOT NEW.email_key OR OLD.first_name_key IS NOT NEW.first_name_key
        OR OLD.last_name_key IS NOT NEW.last_name_key
BEGIN
    INSERT INTO user_search_late (number) VALUES (NEW.number) ON CONFLICT DO NOTHING;
END;

DROP TRIGGER experience_users_removed;
CREATE TRIGGER experience_users_removed AFTER DELETE ON experience_users
    WHEN OLD.number >> 32 = (SELECT number FROM applications WHERE id = OLD.application_id)
BEGIN
    INSERT INTO user_search_late (number) VALUES (OLD.number) ON CONFLICT DO NOTHING;
END;

-- Names change more often than many users are looked for by a part of one. What an index says of them
-- was as much to write as the user itself.
DROP INDEX experience_users_by_number;
CREATE INDEX experience_users_by_number ON experience_users (number, email_key);
