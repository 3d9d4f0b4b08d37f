-- Holds the place of the first schema. Written once for both engines; the store spells the types.
CREATE TABLE placeholder (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
