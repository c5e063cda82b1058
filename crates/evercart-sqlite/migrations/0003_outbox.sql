-- What must follow from a commit and happens outside the database: written in the same transaction, removed when it is
-- done. `kind` says what to do; a program does what it knows and leaves the rest to a newer one. Whoever claims a row
-- moves `due_at` to the end of their lease, which is also how a claim is told from a later one.
CREATE TABLE outbox (
    user_id    INTEGER NOT NULL REFERENCES users (id),
    id         INTEGER NOT NULL CHECK (id >= 1),
    kind       TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    written_at INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL CHECK (attempts >= 0),
    PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_by_due ON outbox (kind, due_at);
