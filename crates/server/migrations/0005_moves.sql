-- One row at most: that this store is being copied to another, was moved to another, or is the
-- unfinished copy of another. It is the one table that does not move.
CREATE TABLE moves (
    id    TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    other TEXT NOT NULL
);
