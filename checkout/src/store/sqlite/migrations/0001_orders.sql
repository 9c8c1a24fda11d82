-- Orders, their payments and refunds, and everything that happened to them.
-- Times are milliseconds since 1970 in UTC; amounts are minor units; secrets are stored as hashes.

CREATE TABLE orders (
    id            INTEGER PRIMARY KEY,
    reference     TEXT    NOT NULL UNIQUE,
    mode          TEXT    NOT NULL CHECK (mode IN ('test', 'live')),
    state         TEXT    NOT NULL CHECK (state IN ('open', 'awaiting', 'paid', 'cancelled', 'expired', 'refunded')),
    method        TEXT    NOT NULL,
    language      TEXT    NOT NULL,
    currency      TEXT    NOT NULL CHECK (length(currency) = 3),
    total_minor   INTEGER NOT NULL CHECK (total_minor >= 0),
    delivery      TEXT    NOT NULL,
    lines         TEXT    NOT NULL CHECK (json_valid(lines)),
    customer      TEXT    NOT NULL CHECK (json_valid(customer)),
    cart          BLOB    NOT NULL CHECK (length(cart) = 32),
    content       BLOB    NOT NULL CHECK (length(content) = 32),
    placed_at_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX orders_by_cart ON orders (cart, id);
CREATE INDEX open_orders_by_age ON orders (placed_at_ms) WHERE state = 'open';
-- A cart has at most one order that can still be paid, or is.
CREATE UNIQUE INDEX one_living_order_per_cart ON orders (cart) WHERE state IN ('open', 'awaiting', 'paid');

-- What was agreed is frozen: only state and method may change.
CREATE TRIGGER orders_are_frozen BEFORE UPDATE OF
    reference, mode, language, currency, total_minor, delivery, lines, customer, cart, content, placed_at_ms ON orders
BEGIN
    SELECT RAISE(ABORT, 'an order is frozen when it is placed');
END;

CREATE TABLE order_tokens (
    id          INTEGER PRIMARY KEY,
    hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    order_id    INTEGER NOT NULL REFERENCES orders (id),
    made_at_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX order_tokens_by_order ON order_tokens (order_id, id);

CREATE TABLE payments (
    id                INTEGER PRIMARY KEY,
    order_id          INTEGER NOT NULL REFERENCES orders (id),
    gateway_order_id  TEXT    NOT NULL UNIQUE,
    store             TEXT    NOT NULL,
    key_index         INTEGER NOT NULL,
    method            TEXT    NOT NULL,
    amount_minor      INTEGER NOT NULL CHECK (amount_minor > 0),
    currency          TEXT    NOT NULL CHECK (length(currency) = 3),
    state             TEXT    NOT NULL
                      CHECK (state IN ('started', 'cancelled', 'failed', 'paid', 'refused', 'reversing', 'reversed')),
    state_since_ms    INTEGER NOT NULL,
    trnref            TEXT,
    started_at_ms     INTEGER NOT NULL,
    expires_at_ms     INTEGER NOT NULL,
    returned_at_ms    INTEGER,
    status_paid_at_ms INTEGER,
    confirmed         INTEGER NOT NULL DEFAULT 0 CHECK (confirmed IN (0, 1)),
    form              TEXT    NOT NULL CHECK (json_valid(form)),
    handoff           BLOB    NOT NULL UNIQUE CHECK (length(handoff) = 32),
    salt              BLOB    NOT NULL CHECK (length(salt) = 16),
    first_shown_at_ms INTEGER,
    next_ask_at_ms    INTEGER,
    unanswered        INTEGER NOT NULL DEFAULT 0,
    ask_leased_until_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX payments_by_order ON payments (order_id, id);
CREATE INDEX payments_to_ask ON payments (next_ask_at_ms) WHERE next_ask_at_ms IS NOT NULL;
-- An order has at most one payment whose money it holds.
CREATE UNIQUE INDEX one_paid_payment_per_order ON payments (order_id) WHERE state IN ('paid', 'reversing');
CREATE TRIGGER payments_are_frozen BEFORE UPDATE OF
    order_id, gateway_order_id, store, key_index, method, amount_minor, currency, started_at_ms, form, handoff, salt ON payments
BEGIN
    SELECT RAISE(ABORT, 'what a payment asks for is frozen when it starts');
END;
CREATE TRIGGER payments_are_kept BEFORE DELETE ON payments BEGIN SELECT RAISE(ABORT, 'payments are kept'); END;
CREATE TRIGGER reversed_is_final BEFORE UPDATE OF state ON payments WHEN OLD.state = 'reversed' AND NEW.state <> 'reversed'
BEGIN
    SELECT RAISE(ABORT, 'a reversed payment stays reversed');
END;

CREATE TABLE refunds (
    id                INTEGER PRIMARY KEY,
    payment_id        INTEGER NOT NULL REFERENCES payments (id),
    gateway_order_id  TEXT    NOT NULL UNIQUE,
    amount_minor      INTEGER NOT NULL CHECK (amount_minor > 0),
    currency          TEXT    NOT NULL CHECK (length(currency) = 3),
    reason            TEXT    NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('reserved', 'done', 'refused', 'unknown')),
    reserved_at_ms    INTEGER NOT NULL,
    settled_at_ms     INTEGER
) STRICT;
CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX reserved_refunds_by_age ON refunds (reserved_at_ms) WHERE state = 'reserved';
-- Never more than was paid, whatever runs at the same time; and only while the money is there.
CREATE TRIGGER refunds_fit_the_payment BEFORE INSERT ON refunds
BEGIN
    SELECT RAISE(ABORT, 'refund does not fit the payment')
    WHERE NOT EXISTS (
        SELECT 1 FROM payments p
        WHERE p.id = NEW.payment_id
          AND p.state IN ('paid', 'refused')
          AND p.currency = NEW.currency
          AND NEW.amount_minor <= p.amount_minor - (
              SELECT coalesce(sum(r.amount_minor), 0) FROM refunds r
              WHERE r.payment_id = NEW.payment_id AND r.state <> 'refused')
    );
END;
-- A payment of which parts were refunded is not reversed as a whole on top.
CREATE TRIGGER no_reversal_beside_refunds BEFORE UPDATE OF state ON payments
WHEN NEW.state = 'reversing' AND EXISTS (
    SELECT 1 FROM refunds r WHERE r.payment_id = NEW.id AND r.state <> 'refused')
BEGIN
    SELECT RAISE(ABORT, 'a payment with refunds is not reversed');
END;
CREATE TRIGGER refunds_only_settle BEFORE UPDATE ON refunds
WHEN NEW.payment_id <> OLD.payment_id OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency
    OR OLD.state IN ('done', 'refused')
BEGIN
    SELECT RAISE(ABORT, 'a settled refund does not change');
END;

CREATE TRIGGER refunds_are_kept BEFORE DELETE ON refunds BEGIN SELECT RAISE(ABORT, 'refunds are kept'); END;

CREATE TABLE events (
    id          INTEGER PRIMARY KEY,
    order_id    INTEGER REFERENCES orders (id),
    payment_id  INTEGER REFERENCES payments (id),
    at_ms       INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    raw         TEXT
) STRICT;
CREATE INDEX events_by_order ON events (order_id, id);
CREATE INDEX events_by_payment ON events (payment_id, kind);
CREATE UNIQUE INDEX declined_attempts_once ON events (payment_id, detail) WHERE kind = 'declined';
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
-- REPLACE deletes without the trigger above.
CREATE TRIGGER events_are_not_replaced BEFORE INSERT ON events WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER events_stay_as_they_are BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;

CREATE TABLE idempotency_keys (
    key          BLOB    PRIMARY KEY CHECK (length(key) = 32),
    request      BLOB    NOT NULL CHECK (length(request) = 32),
    claimed_at_ms INTEGER NOT NULL,
    -- While a request runs: until when it may. 0 once it is done.
    leased_until_ms INTEGER NOT NULL,
    order_id     INTEGER REFERENCES orders (id),
    payment_id   INTEGER REFERENCES payments (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (claimed_at_ms);
