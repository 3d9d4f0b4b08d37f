-- How much an answer takes, so that those of an application are summed in the index alone. The body of a
-- large one is left out: `omitted` has the resource that it showed, if it showed one, and NULL is an answer
-- that is whole.
ALTER TABLE answers ADD COLUMN size BIGINT;
ALTER TABLE answers ADD COLUMN omitted TEXT;
UPDATE answers SET size = 640 + octet_length(body);
DROP INDEX answers_by_application;
CREATE INDEX answers_by_application ON answers (application_id, size);
