-- For patterns with a star before their end, where the extension is there. Without it they read all
-- users of the application.
DO $$
BEGIN
    CREATE INDEX experience_users_by_part ON experience_users
        USING gin (email_key gin_trgm_ops, first_name_key gin_trgm_ops, last_name_key gin_trgm_ops);
EXCEPTION WHEN undefined_object THEN
    NULL;
END
$$;
