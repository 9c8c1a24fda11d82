-- What storefronts of their own say about an order: the signed quote that priced it, their own number for it, and
-- where the shopper goes when all is done.

ALTER TABLE orders ADD COLUMN quote BLOB CHECK (length(quote) = 32);
ALTER TABLE orders ADD COLUMN shop_reference TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN return_url TEXT NOT NULL DEFAULT '';

-- A signed quote pays one order. One that ended unpaid gives way to another of the same cart only: a shopper who
-- mends an address. (An order that ended is paid no more: its late payments are refused.)
CREATE UNIQUE INDEX one_order_per_quote ON orders (quote) WHERE state NOT IN ('cancelled', 'expired') AND quote IS NOT NULL;
CREATE INDEX orders_by_quote ON orders (quote) WHERE quote IS NOT NULL;
CREATE TRIGGER quotes_stay_with_their_cart BEFORE INSERT ON orders
WHEN NEW.quote IS NOT NULL AND EXISTS (SELECT 1 FROM orders WHERE quote = NEW.quote AND cart <> NEW.cart)
BEGIN
    SELECT RAISE(ABORT, 'a quote was used for another cart');
END;

CREATE TRIGGER the_rest_of_an_order_is_frozen BEFORE UPDATE OF quote, shop_reference, return_url, day, found_email,
    found_name, found_family_name ON orders
BEGIN
    SELECT RAISE(ABORT, 'an order is frozen when it is placed');
END;
CREATE INDEX orders_by_shop_reference ON orders (shop_reference) WHERE shop_reference <> '';
