-- The groups in a group, and those in none, are listed by their names, a page at a time. Those in none
-- have an index of their own: PostgreSQL does not read one in its order beyond `IS NULL`.
CREATE INDEX experience_groups_in_group ON experience_groups (application_id, parent_id, name_key, id);
CREATE INDEX experience_groups_in_none ON experience_groups (application_id, name_key, id)
    WHERE parent_id IS NULL;
DROP INDEX experience_groups_by_parent;
