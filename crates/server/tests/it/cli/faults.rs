//! What breaks a store by hand, for the doctor to find.

/// What breaks a store, and the check that finds it, in which words.
pub(super) type Fault = (&'static str, &'static str, &'static str);

/// What can be made anew.
pub(super) const MENDABLE: &[Fault] = &[
    ("UPDATE counts SET total = total + 1 WHERE counted = 'users'", "counts", "users, and"),
    (
        "UPDATE counts SET total = 77 WHERE counted = 'applications'",
        "counts",
        "there are 1 applications, and 77",
    ),
    ("UPDATE counts SET total = 0 WHERE counted = 'groups'", "counts", "groups, and 0"),
    (
        "UPDATE counts SET total = total + 1 WHERE counted IN (SELECT id FROM experience_groups)",
        "counts",
        "members, and",
    ),
    (
        "INSERT INTO counts (application_id, counted, total) VALUES ('ffffffffffffffffffffffff', 'users', 3)",
        "counts",
        "of the application ffffffffffffffffffffffff, which is not there",
    ),
    ("UPDATE counts SET bytes = bytes + 1 WHERE counted = 'users'", "bytes", "users of"),
    ("UPDATE counts SET bytes = bytes - 1 WHERE counted = 'groups'", "bytes", "groups of"),
    ("DELETE FROM counts WHERE counted = 'members'", "bytes", "members of"),
    ("UPDATE counts SET bytes = 0 WHERE counted = 'tokens'", "bytes", "tokens of"),
    (
        "INSERT INTO memberships SELECT application_id, 'eeeeeeeeeeeeeeeeeeeeeeee', min(id)
            FROM experience_groups GROUP BY application_id",
        "references",
        "there is no such user",
    ),
    (
        "INSERT INTO memberships SELECT application_id, min(id), 'eeeeeeeeeeeeeeeeeeeeeeee'
            FROM experience_users GROUP BY application_id",
        "references",
        "there is no such group",
    ),
    (
        "UPDATE api_tokens SET owner_id = 'eeeeeeeeeeeeeeeeeeeeeeee' WHERE kind = 'application'",
        "references",
        "of the application eeeeeeeeeeeeeeeeeeeeeeee",
    ),
    (
        "UPDATE api_tokens SET owner_id = 'dddddddddddddddddddddddd' WHERE kind = 'session'",
        "references",
        "of the administrator dddddddddddddddddddddddd",
    ),
    (
        "INSERT INTO user_tags SELECT application_id, 'eeeeeeeeeeeeeeeeeeeeeeee', 'of_nobody', 'x'
            FROM experience_users LIMIT 1",
        "references",
        "the tag of_nobody",
    ),
    (
        "INSERT INTO user_tags SELECT application_id, min(id), 'surplus', 'x'
            FROM experience_users GROUP BY application_id",
        "tags",
        "tag surplus of",
    ),
    (
        "INSERT INTO group_tags SELECT application_id, min(id), 'group_surplus', 'x'
            FROM experience_groups GROUP BY application_id",
        "tags",
        "tag group_surplus of",
    ),
    (
        "INSERT INTO group_endpoints SELECT application_id, min(id), 'cccccccccccccccccccccccc'
            FROM experience_groups GROUP BY application_id",
        "tags",
        "endpoint cccccccccccccccccccccccc of",
    ),
];

/// What nothing can be made anew of.
pub(super) const LOST: &[Fault] = &[
    (
        "UPDATE experience_users SET email = 'nobody', email_key = 'nobody'
            WHERE id = (SELECT min(id) FROM experience_users)",
        "values",
        "its address is none",
    ),
    (
        "UPDATE experience_users SET last_name = NULL
            WHERE id = (SELECT max(id) FROM experience_users WHERE last_name IS NOT NULL)",
        "values",
        "last_name_key is not what it is compared by",
    ),
    (
        "UPDATE experience_users SET updated = 4000000000000
            WHERE id = (SELECT id FROM experience_users ORDER BY id LIMIT 1 OFFSET 9)",
        "clock",
        "which is yet to come",
    ),
    (
        "UPDATE experience_users SET created = -5
            WHERE id = (SELECT id FROM experience_users ORDER BY id LIMIT 1 OFFSET 7)",
        "values",
        "-5 is no moment",
    ),
    (
        "UPDATE experience_groups SET tags = '[' WHERE id = (SELECT max(id) FROM experience_groups)",
        "values",
        "it cannot be read",
    ),
    (
        "UPDATE experience_groups SET name = '', name_key = ''",
        "values",
        "its name has 0 characters",
    ),
    ("UPDATE api_tokens SET status = 'asleep' WHERE kind = 'application'", "values", "asleep"),
    (
        "UPDATE experience_groups SET parent_id = (SELECT max(id) FROM experience_groups)
            WHERE id = (SELECT max(id) FROM experience_groups)",
        "groups",
        "is in a circle of groups",
    ),
    (
        "UPDATE experience_groups SET parent_id = 'eeeeeeeeeeeeeeeeeeeeeeee'
            WHERE id = (SELECT min(id) FROM experience_groups)",
        "groups",
        "is in the group eeeeeeeeeeeeeeeeeeeeeeee, which is not there",
    ),
    (
        "UPDATE experience_users SET application_id = 'eeeeeeeeeeeeeeeeeeeeeeee'
            WHERE id = (SELECT id FROM experience_users ORDER BY id LIMIT 1 OFFSET 5)",
        "references",
        "is of the application eeeeeeeeeeeeeeeeeeeeeeee",
    ),
    (
        "DROP INDEX experience_users_by_created",
        "schema",
        "the index experience_users_by_created is missing",
    ),
    (
        "INSERT INTO moves (id, state, other) VALUES ('a', 'leaving', 'elsewhere')",
        "move",
        "is being moved to elsewhere",
    ),
];

/// What only a file can have.
pub(super) const OF_A_FILE: &[Fault] = &[
    (
        "DELETE FROM user_search_docsize WHERE id = (SELECT max(id) FROM user_search_docsize)",
        "search",
        "is not in the search index",
    ),
    (
        "INSERT INTO user_search (rowid, email) VALUES (987654321987, 'nobody@example.com')",
        "search",
        "the number 987654321987, which is nobody's",
    ),
    (
        "DROP TRIGGER experience_users_renamed",
        "schema",
        "the trigger experience_users_renamed is missing",
    ),
    (
        "UPDATE experience_users SET email = 'longer.than.it.was@people.example.com',
            email_key = 'longer.than.it.was@people.example.com'
            WHERE number = (SELECT min(number) FROM experience_users)",
        "search",
        "has other texts of the user",
    ),
    ("PRAGMA journal_mode = DELETE", "wal", "is delete, and not wal"),
];
