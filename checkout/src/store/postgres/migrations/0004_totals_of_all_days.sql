-- The totals by day, added up over all days, as in the SQLite file. A table of its own, because a replica of the version
-- before adds up all rows of the other one.
CREATE TABLE order_totals_of_all_days (
    mode           TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL,
    method         TEXT COLLATE "C" NOT NULL,
    currency       TEXT COLLATE "C" NOT NULL,
    slot           SMALLINT NOT NULL,
    orders         BIGINT NOT NULL,
    total_minor    BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    PRIMARY KEY (mode, state, method, currency, slot)
);
CREATE FUNCTION total_new_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_totals_of_all_days AS t VALUES (NEW.mode, NEW.state, NEW.method, NEW.currency, NEW.slot,
        NEW.orders, NEW.total_minor, NEW.refunded_minor)
    ON CONFLICT (mode, state, method, currency, slot) DO UPDATE SET orders = t.orders + excluded.orders,
        total_minor = t.total_minor + excluded.total_minor, refunded_minor = t.refunded_minor + excluded.refunded_minor;
    RETURN NULL;
END $$;
CREATE FUNCTION total_changed_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE order_totals_of_all_days SET orders = orders + NEW.orders - OLD.orders,
        total_minor = total_minor + NEW.total_minor - OLD.total_minor,
        refunded_minor = refunded_minor + NEW.refunded_minor - OLD.refunded_minor
    WHERE mode = NEW.mode AND state = NEW.state AND method = NEW.method AND currency = NEW.currency AND slot = NEW.slot;
    RETURN NULL;
END $$;
-- From here to the commit nobody changes the totals by day, so that what is added up is all there is.
CREATE TRIGGER new_days_are_totalled AFTER INSERT ON order_totals FOR EACH ROW EXECUTE FUNCTION total_new_days();
CREATE TRIGGER changed_days_are_totalled AFTER UPDATE ON order_totals FOR EACH ROW EXECUTE FUNCTION total_changed_days();
INSERT INTO order_totals_of_all_days
    SELECT mode, state, method, currency, slot, sum(orders), sum(total_minor), sum(refunded_minor)
    FROM order_totals GROUP BY mode, state, method, currency, slot;
