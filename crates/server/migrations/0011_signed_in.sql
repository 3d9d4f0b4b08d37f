-- When the password was given for a session, or for the one that it goes on from.
ALTER TABLE api_tokens ADD COLUMN signed_in BIGINT;
