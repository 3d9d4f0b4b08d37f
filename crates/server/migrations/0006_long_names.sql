-- Names have up to 1,024 characters, and PostgreSQL has no room for that in an index: users are
-- sorted and looked up by the beginning of their names.
DROP INDEX experience_users_by_first_name;
DROP INDEX experience_users_by_last_name;
