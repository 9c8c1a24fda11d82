-- The totals by day, added up over all days: a shop of ten years has tens of thousands of those.
CREATE TABLE order_totals_of_all_days (
    mode           TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    method         TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    orders         INTEGER NOT NULL,
    total_minor    INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL,
    PRIMARY KEY (mode, state, method, currency)
) STRICT, WITHOUT ROWID;
INSERT INTO order_totals_of_all_days
    SELECT mode, state, method, currency, sum(orders), sum(total_minor), sum(refunded_minor)
    FROM order_totals GROUP BY mode, state, method, currency;
CREATE TRIGGER new_days_are_totalled AFTER INSERT ON order_totals
BEGIN
    INSERT INTO order_totals_of_all_days VALUES
        (NEW.mode, NEW.state, NEW.method, NEW.currency, NEW.orders, NEW.total_minor, NEW.refunded_minor)
    ON CONFLICT DO UPDATE SET orders = orders + excluded.orders, total_minor = total_minor + excluded.total_minor,
        refunded_minor = refunded_minor + excluded.refunded_minor;
END;
CREATE TRIGGER changed_days_are_totalled AFTER UPDATE ON order_totals
BEGIN
    UPDATE order_totals_of_all_days SET orders = orders + NEW.orders - OLD.orders,
        total_minor = total_minor + NEW.total_minor - OLD.total_minor,
        refunded_minor = refunded_minor + NEW.refunded_minor - OLD.refunded_minor
    WHERE mode = NEW.mode AND state = NEW.state AND method = NEW.method AND currency = NEW.currency;
END;
