-- How much of the store an application takes, kept with what is counted of it: its users, groups and
-- tokens, and with its members who is in which group. Bytes are in blocks of 1,024 for each user, group and
-- token. `quotas` is what an administrator has set for one application, as JSON; NULL where it has those of
-- the server.
ALTER TABLE counts ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE applications ADD COLUMN quotas TEXT;

-- For what is there already. The tags are read once: asked for user by user, those of the whole application
-- would be read for each.
UPDATE counts SET bytes = s.bytes FROM (
    SELECT u.application_id, sum((640 + 5 * octet_length(u.email)
            + 4 * (coalesce(octet_length(u.first_name), 0) + coalesce(octet_length(u.last_name), 0))
            + coalesce(t.bytes, 0) + 1023) / 1024 * 1024) AS bytes
    FROM experience_users u LEFT JOIN (
        SELECT application_id, user_id, sum(256 + 3 * (octet_length(tag) + octet_length(value))) AS bytes
        FROM user_tags GROUP BY application_id, user_id
    ) t ON t.application_id = u.application_id AND t.user_id = u.id
    GROUP BY u.application_id
) s WHERE s.application_id = counts.application_id AND counts.counted = 'users';
UPDATE counts SET bytes = s.bytes FROM (
    SELECT g.application_id, sum((640 + 4 * octet_length(g.name)
            + coalesce(octet_length(g.description), 0) + 8 * octet_length(g.endpoint_ids)
            + octet_length(g.device_ids) + octet_length(g.device_tags)
            + coalesce(octet_length(g.device_query), 0)
            + coalesce(t.bytes, 0) + 1023) / 1024 * 1024) AS bytes
    FROM experience_groups g LEFT JOIN (
        SELECT application_id, group_id, sum(256 + 3 * (octet_length(tag) + octet_length(value))) AS bytes
        FROM group_tags GROUP BY application_id, group_id
    ) t ON t.application_id = g.application_id AND t.group_id = g.id
    GROUP BY g.application_id
) s WHERE s.application_id = counts.application_id AND counts.counted = 'groups';
UPDATE counts SET bytes = s.bytes FROM (
    SELECT owner_id, sum((640 + 3 * octet_length(name) + coalesce(octet_length(description), 0)
            + octet_length(scope) + 1023) / 1024 * 1024) AS bytes
    FROM api_tokens WHERE kind = 'application' GROUP BY owner_id
) s WHERE s.owner_id = counts.application_id AND counts.counted = 'tokens';
UPDATE counts SET bytes = s.bytes FROM (
    SELECT application_id, count(*) * 256 AS bytes FROM memberships GROUP BY application_id
) s WHERE s.application_id = counts.application_id AND counts.counted = 'members';
