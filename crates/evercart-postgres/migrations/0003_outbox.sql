-- What must follow from a commit and happens outside the database: written in the same transaction, removed when it is
-- done. `kind` says what to do; a program does what it knows and leaves the rest to a newer one. Whoever claims a row
-- moves `due_at` to the end of their lease, which is also how a claim is told from a later one.
CREATE TABLE outbox (
    user_id    BIGINT  NOT NULL,
    id         BIGINT  NOT NULL CHECK (id >= 1),
    kind       TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    written_at BIGINT  NOT NULL,
    due_at     BIGINT  NOT NULL,
    attempts   INTEGER NOT NULL CHECK (attempts >= 0),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX outbox_by_due ON outbox (kind, due_at);

-- In a shop that is spread over a cluster already, the table is spread before it may refer to one that is. A new shop is
-- spread later, with all others.
DO $$
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        IF EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'users'::REGCLASS) THEN
            SET LOCAL citus.multi_shard_modify_mode = 'sequential';
            PERFORM create_distributed_table('outbox', 'user_id', colocate_with => 'users');
        END IF;
    END IF;
END $$;
ALTER TABLE outbox ADD CONSTRAINT outbox_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id);
