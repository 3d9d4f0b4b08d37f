-- How many rows there are, kept with the rows, so that nobody has to count them: of the store
-- (`application_id` is empty) its applications; of an application its users, groups, tokens and
-- members (users in at least one group), and the members of each group by its id.
CREATE TABLE counts (
    application_id TEXT   NOT NULL,
    counted        TEXT   NOT NULL,
    total          BIGINT NOT NULL,
    PRIMARY KEY (application_id, counted)
);

INSERT INTO counts (application_id, counted, total)
    SELECT '', 'applications', count(*) FROM applications;
INSERT INTO counts (application_id, counted, total)
    SELECT application_id, 'users', count(*) FROM experience_users GROUP BY application_id;
INSERT INTO counts (application_id, counted, total)
    SELECT application_id, 'groups', count(*) FROM experience_groups GROUP BY application_id;
INSERT INTO counts (application_id, counted, total)
    SELECT application_id, 'members', count(DISTINCT user_id) FROM memberships
    GROUP BY application_id;
INSERT INTO counts (application_id, counted, total)
    SELECT application_id, group_id, count(*) FROM memberships GROUP BY application_id, group_id;
INSERT INTO counts (application_id, counted, total)
    SELECT owner_id, 'tokens', count(*) FROM api_tokens WHERE kind = 'application'
    GROUP BY owner_id;
