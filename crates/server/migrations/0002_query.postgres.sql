-- For what is there already.
INSERT INTO user_tags (application_id, user_id, tag, value)
    SELECT u.application_id, u.id, j.key, j.value FROM experience_users u, jsonb_each_text(u.tags::jsonb) AS j;
INSERT INTO group_tags (application_id, group_id, tag, value)
    SELECT g.application_id, g.id, j.key, j.value FROM experience_groups g, jsonb_each_text(g.tags::jsonb) AS j;
INSERT INTO group_endpoints (application_id, group_id, endpoint_id)
    SELECT DISTINCT g.application_id, g.id, j.value
    FROM experience_groups g, jsonb_array_elements_text(g.endpoint_ids::jsonb) AS j (value);
