-- What a token has made is found when it goes with that.
CREATE INDEX api_tokens_by_creator ON api_tokens (creator_id);
