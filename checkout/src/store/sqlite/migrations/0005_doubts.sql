-- Whether a payment was confirmed once, and a Cancel has contradicted that since.
ALTER TABLE payments ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0;
