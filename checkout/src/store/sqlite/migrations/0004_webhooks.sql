-- What the merchant's own systems are told, written down in the transaction that made it true.

-- Whom: those of the configuration are active.
CREATE TABLE webhook_endpoints (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    is_active       INTEGER NOT NULL CHECK (is_active IN (0, 1))
) STRICT;

CREATE TABLE webhooks (
    id              INTEGER PRIMARY KEY,
    endpoint_id     INTEGER NOT NULL REFERENCES webhook_endpoints (id),
    order_id        INTEGER NOT NULL REFERENCES orders (id),
    kind            TEXT    NOT NULL,
    -- Byte for byte what is sent, at every try.
    body            TEXT    NOT NULL CHECK (json_valid(body)),
    made_at_ms      INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    tries           INTEGER NOT NULL DEFAULT 0,
    next_try_at_ms  INTEGER NOT NULL,
    leased_until_ms INTEGER NOT NULL DEFAULT 0,
    answer          TEXT    NOT NULL DEFAULT '',
    settled_at_ms   INTEGER
) STRICT;
CREATE INDEX webhooks_by_order ON webhooks (order_id, id);
CREATE INDEX webhooks_to_send ON webhooks (endpoint_id, next_try_at_ms) WHERE state = 'waiting';
CREATE INDEX webhooks_undelivered ON webhooks (state, made_at_ms) WHERE state <> 'delivered';
CREATE TRIGGER webhooks_are_frozen BEFORE UPDATE OF endpoint_id, order_id, kind, body, made_at_ms ON webhooks
BEGIN
    SELECT RAISE(ABORT, 'what is told is frozen when it happens');
END;
CREATE TRIGGER webhooks_are_kept BEFORE DELETE ON webhooks BEGIN SELECT RAISE(ABORT, 'webhooks are kept'); END;
