-- Whether a payment was confirmed once, and a Cancel has contradicted that since. As in the SQLite file.
ALTER TABLE payments ADD COLUMN doubted SMALLINT NOT NULL DEFAULT 0;
