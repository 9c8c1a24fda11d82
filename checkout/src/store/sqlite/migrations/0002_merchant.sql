-- The merchant's half: refunds of every kind, money that he receives himself, his people, what they did, and
-- what his pages need to stay quick with millions of orders.

-- Money that came in by one of the merchant's own methods, as he recorded it.
CREATE TABLE receipts (
    id             INTEGER PRIMARY KEY,
    order_id       INTEGER NOT NULL REFERENCES orders (id),
    -- The hash of the idempotency key: one press of Record is one receipt.
    key            BLOB    NOT NULL UNIQUE CHECK (length(key) = 32),
    amount_minor   INTEGER NOT NULL CHECK (amount_minor > 0),
    currency       TEXT    NOT NULL CHECK (length(currency) = 3),
    note           TEXT    NOT NULL,
    recorded_by    TEXT    NOT NULL,
    recorded_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX receipts_by_order ON receipts (order_id);
CREATE TRIGGER receipts_are_kept BEFORE DELETE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are kept'); END;
CREATE TRIGGER receipts_are_not_replaced BEFORE INSERT ON receipts WHEN EXISTS (SELECT 1 FROM receipts WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'receipts are kept'); END;
CREATE TRIGGER receipts_stay_as_they_are BEFORE UPDATE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are kept'); END;

-- Refunds also of money without a payment, proposed ones, and ones that were made elsewhere. SQLite cannot
-- drop a NOT NULL, so the table is made anew.
DROP TRIGGER refunds_fit_the_payment;
DROP TRIGGER no_reversal_beside_refunds;
DROP TRIGGER refunds_only_settle;
DROP TRIGGER refunds_are_kept;
ALTER TABLE refunds RENAME TO refunds_before;
DROP INDEX refunds_by_payment;
DROP INDEX reserved_refunds_by_age;
CREATE TABLE refunds (
    id                INTEGER PRIMARY KEY,
    order_id          INTEGER NOT NULL REFERENCES orders (id),
    -- NULL: of money that the merchant received himself.
    payment_id        INTEGER REFERENCES payments (id),
    -- gateway: we ask myPOS; account, chargeback: made in the myPOS account, and recorded; hand: by the
    -- merchant's own means, and recorded.
    kind              TEXT    NOT NULL CHECK (kind IN ('gateway', 'account', 'chargeback', 'hand')),
    gateway_order_id  TEXT    UNIQUE,
    -- The hash of the idempotency key: one press of Refund is one refund.
    key               BLOB    UNIQUE CHECK (length(key) = 32),
    amount_minor      INTEGER NOT NULL CHECK (amount_minor > 0),
    currency          TEXT    NOT NULL CHECK (length(currency) = 3),
    reason            TEXT    NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('proposed', 'reserved', 'done', 'refused', 'unknown')),
    asked_by          TEXT    NOT NULL,
    made_at_ms        INTEGER NOT NULL,
    -- Since when the gateway may have been asked.
    reserved_at_ms    INTEGER,
    settled_at_ms     INTEGER,
    answer            TEXT    NOT NULL DEFAULT '',
    CHECK ((kind = 'gateway') = (gateway_order_id IS NOT NULL)),
    CHECK ((kind = 'hand') = (payment_id IS NULL)),
    CHECK (kind = 'gateway' OR state = 'done'),
    CHECK (state <> 'reserved' OR reserved_at_ms IS NOT NULL)
) STRICT;
INSERT INTO refunds (id, order_id, payment_id, kind, gateway_order_id, amount_minor, currency, reason, state,
        asked_by, made_at_ms, reserved_at_ms, settled_at_ms)
    SELECT r.id, p.order_id, r.payment_id, 'gateway', r.gateway_order_id, r.amount_minor, r.currency, r.reason,
        r.state, 'tillgate', r.reserved_at_ms, r.reserved_at_ms, r.settled_at_ms
    FROM refunds_before r JOIN payments p ON p.id = r.payment_id;
DROP TABLE refunds_before;
CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX refunds_by_order ON refunds (order_id);
CREATE INDEX reserved_refunds_by_age ON refunds (reserved_at_ms) WHERE state = 'reserved';
CREATE INDEX refunds_for_a_person ON refunds (order_id) WHERE state IN ('proposed', 'unknown');

-- Never more than was paid or received, whatever runs at the same time; and only while the money is there.
CREATE TRIGGER refunds_fit_the_payment BEFORE INSERT ON refunds WHEN NEW.payment_id IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'refund does not fit')
    WHERE NOT EXISTS (
        SELECT 1 FROM payments p
        WHERE p.id = NEW.payment_id
          AND p.order_id = NEW.order_id
          AND p.state IN ('paid', 'refused')
          AND p.currency = NEW.currency
          AND NEW.amount_minor <= p.amount_minor - (
              SELECT coalesce(sum(r.amount_minor), 0) FROM refunds r
              WHERE r.payment_id = NEW.payment_id AND r.state <> 'refused')
    );
END;
CREATE TRIGGER refunds_fit_the_receipts BEFORE INSERT ON refunds WHEN NEW.payment_id IS NULL
BEGIN
    SELECT RAISE(ABORT, 'refund does not fit')
    WHERE NEW.amount_minor > (
        SELECT coalesce(sum(amount_minor), 0) FROM receipts
        WHERE order_id = NEW.order_id AND currency = NEW.currency
    ) - (
        SELECT coalesce(sum(amount_minor), 0) FROM refunds
        WHERE order_id = NEW.order_id AND payment_id IS NULL AND state <> 'refused'
    );
END;
-- An approval may come long after the proposal.
CREATE TRIGGER approved_refunds_fit BEFORE UPDATE OF state ON refunds
WHEN OLD.state = 'proposed' AND NEW.state = 'reserved' AND NOT EXISTS (
    SELECT 1 FROM payments p WHERE p.id = NEW.payment_id AND p.state IN ('paid', 'refused'))
BEGIN
    SELECT RAISE(ABORT, 'refund does not fit');
END;
CREATE TRIGGER refunds_only_settle BEFORE UPDATE ON refunds
WHEN NEW.payment_id IS NOT OLD.payment_id OR NEW.order_id <> OLD.order_id OR NEW.amount_minor <> OLD.amount_minor
    OR NEW.currency <> OLD.currency OR NEW.kind <> OLD.kind OR NEW.gateway_order_id IS NOT OLD.gateway_order_id
    OR OLD.state IN ('done', 'refused')
    OR (NEW.state <> OLD.state AND NEW.state NOT IN (
        SELECT value FROM json_each(CASE OLD.state
            WHEN 'proposed' THEN '["reserved", "refused"]'
            ELSE '["done", "refused", "unknown"]' END)))
BEGIN
    SELECT RAISE(ABORT, 'a settled refund does not change');
END;
CREATE TRIGGER refunds_are_kept BEFORE DELETE ON refunds BEGIN SELECT RAISE(ABORT, 'refunds are kept'); END;
-- A payment of which parts were refunded is not reversed as a whole on top.
CREATE TRIGGER no_reversal_beside_refunds BEFORE UPDATE OF state ON payments
WHEN NEW.state = 'reversing' AND EXISTS (
    SELECT 1 FROM refunds r WHERE r.payment_id = NEW.id AND r.state <> 'refused')
BEGIN
    SELECT RAISE(ABORT, 'a payment with refunds is not reversed');
END;

-- What the merchant's lists show. The day is that of the shop's time zone when the order was placed, as days
-- since 1970: filters and totals agree about it for ever. (Orders from before have the day in UTC.)
ALTER TABLE orders ADD COLUMN day INTEGER NOT NULL DEFAULT 0;
-- What people search by, in small letters of every alphabet: SQLite's own lower() knows ASCII only.
ALTER TABLE orders ADD COLUMN found_email TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN found_name TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN found_family_name TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN refunded_minor INTEGER NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0);
-- Since when a person has to look at it.
ALTER TABLE orders ADD COLUMN attention_since_ms INTEGER;
UPDATE orders SET day = placed_at_ms / 86400000,
    attention_since_ms = (SELECT min(at_ms) FROM events e
        WHERE e.order_id = orders.id AND e.kind IN ('contradiction', 'refund_unknown'));
-- Every filter of the list is a few of these combinations, and each of them is one seek here.
CREATE INDEX orders_by_kind ON orders (mode, state, method, day, id);
CREATE INDEX orders_by_total ON orders (total_minor, id);
CREATE INDEX orders_by_email ON orders (found_email, id);
CREATE INDEX orders_by_name ON orders (found_name, id);
CREATE INDEX orders_by_family_name ON orders (found_family_name, id);
CREATE INDEX orders_for_a_person ON orders (id) WHERE attention_since_ms IS NOT NULL;
CREATE INDEX payments_by_trnref ON payments (trnref) WHERE trnref IS NOT NULL;
CREATE INDEX reversals_by_age ON payments (state_since_ms) WHERE state = 'reversing';
-- Messages about orders that nobody knows wait until somebody has looked at them.
CREATE INDEX unknown_messages ON events (id) WHERE order_id IS NULL AND kind = 'unknown_message';
CREATE TABLE seen_messages (
    event_id   INTEGER PRIMARY KEY REFERENCES events (id),
    seen_by    TEXT    NOT NULL,
    seen_at_ms INTEGER NOT NULL
) STRICT;

-- What went back of the money that an order has. A payment that was not taken for its order is none of it.
CREATE TRIGGER done_refunds_are_summed AFTER UPDATE OF state ON refunds
WHEN NEW.state = 'done' AND OLD.state <> 'done'
BEGIN
    UPDATE orders SET refunded_minor = refunded_minor + NEW.amount_minor
    WHERE id = NEW.order_id AND NOT EXISTS (
        SELECT 1 FROM payments p WHERE p.id = NEW.payment_id AND p.state = 'refused');
END;
CREATE TRIGGER recorded_refunds_are_summed AFTER INSERT ON refunds WHEN NEW.state = 'done'
BEGIN
    UPDATE orders SET refunded_minor = refunded_minor + NEW.amount_minor
    WHERE id = NEW.order_id AND NOT EXISTS (
        SELECT 1 FROM payments p WHERE p.id = NEW.payment_id AND p.state = 'refused');
END;
UPDATE orders SET refunded_minor = (
    SELECT coalesce(sum(r.amount_minor), 0) FROM refunds r JOIN payments p ON p.id = r.payment_id
    WHERE r.order_id = orders.id AND r.state = 'done' AND p.state <> 'refused')
WHERE id IN (SELECT order_id FROM refunds WHERE state = 'done');

-- Totals by day and kind, kept up to date with every change, so that no page has to add up all orders.
CREATE TABLE order_totals (
    mode           TEXT    NOT NULL,
    day            INTEGER NOT NULL,
    state          TEXT    NOT NULL,
    method         TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    orders         INTEGER NOT NULL,
    total_minor    INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL,
    PRIMARY KEY (mode, state, method, day, currency)
) STRICT, WITHOUT ROWID;
INSERT INTO order_totals
    SELECT mode, day, state, method, currency, count(*), sum(total_minor), sum(refunded_minor)
    FROM orders GROUP BY mode, day, state, method, currency;
CREATE TRIGGER new_orders_are_totalled AFTER INSERT ON orders
BEGIN
    INSERT INTO order_totals VALUES
        (NEW.mode, NEW.day, NEW.state, NEW.method, NEW.currency, 1, NEW.total_minor, NEW.refunded_minor)
    ON CONFLICT DO UPDATE SET orders = orders + 1, total_minor = total_minor + excluded.total_minor,
        refunded_minor = refunded_minor + excluded.refunded_minor;
END;
CREATE TRIGGER changed_orders_are_totalled AFTER UPDATE OF state, method, refunded_minor ON orders
WHEN NEW.state <> OLD.state OR NEW.method <> OLD.method OR NEW.refunded_minor <> OLD.refunded_minor
BEGIN
    UPDATE order_totals SET orders = orders - 1, total_minor = total_minor - OLD.total_minor,
        refunded_minor = refunded_minor - OLD.refunded_minor
    WHERE mode = OLD.mode AND day = OLD.day AND state = OLD.state AND method = OLD.method
        AND currency = OLD.currency;
    INSERT INTO order_totals VALUES
        (NEW.mode, NEW.day, NEW.state, NEW.method, NEW.currency, 1, NEW.total_minor, NEW.refunded_minor)
    ON CONFLICT DO UPDATE SET orders = orders + 1, total_minor = total_minor + excluded.total_minor,
        refunded_minor = refunded_minor + excluded.refunded_minor;
END;

-- The merchant's people, and their sessions (as hashes).
CREATE TABLE merchant_users (
    id             INTEGER PRIMARY KEY,
    email          TEXT    NOT NULL UNIQUE,
    role           TEXT    NOT NULL CHECK (role IN ('view', 'refund', 'administer')),
    -- argon2id, in its PHC text form.
    password       TEXT    NOT NULL,
    -- The secret of the second factor, and the last time step whose code was used: none works twice.
    totp_secret    BLOB,
    totp_used_step INTEGER NOT NULL DEFAULT 0,
    is_disabled    INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
    made_at_ms     INTEGER NOT NULL
) STRICT;
CREATE TABLE merchant_sessions (
    hash           BLOB    PRIMARY KEY CHECK (length(hash) = 32),
    user_id        INTEGER NOT NULL REFERENCES merchant_users (id),
    -- 0 while the second factor is still asked for.
    is_complete    INTEGER NOT NULL CHECK (is_complete IN (0, 1)),
    made_at_ms     INTEGER NOT NULL,
    used_at_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX merchant_sessions_by_user ON merchant_sessions (user_id);
CREATE INDEX merchant_sessions_by_age ON merchant_sessions (used_at_ms);

-- Wrong passwords and codes, counted by account and by client: each counts until it turns out right.
CREATE TABLE wrong_guesses (
    id             INTEGER PRIMARY KEY,
    key            BLOB    NOT NULL CHECK (length(key) = 32),
    at_ms          INTEGER NOT NULL
) STRICT;
CREATE INDEX wrong_guesses_by_key ON wrong_guesses (key, at_ms);
CREATE INDEX wrong_guesses_by_age ON wrong_guesses (at_ms);

-- Who did what, when, from where, to which order.
CREATE TABLE audit (
    id             INTEGER PRIMARY KEY,
    at_ms          INTEGER NOT NULL,
    who            TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    action         TEXT    NOT NULL,
    order_id       INTEGER REFERENCES orders (id),
    detail         TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_by_order ON audit (order_id, id);
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_stays_as_it_is BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
