-- For what is there already.
INSERT INTO user_tags (application_id, user_id, tag, value)
    SELECT u.application_id, u.id, j.key, j.value FROM experience_users u, json_each(u.tags) AS j;
INSERT INTO group_tags (application_id, group_id, tag, value)
    SELECT g.application_id, g.id, j.key, j.value FROM experience_groups g, json_each(g.tags) AS j;
INSERT INTO group_endpoints (application_id, group_id, endpoint_id)
    SELECT DISTINCT g.application_id, g.id, j.value
    FROM experience_groups g, json_each(g.endpoint_ids) AS j;
