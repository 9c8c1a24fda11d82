-- When a server last had an endpoint in its configuration, milliseconds since 1970.
ALTER TABLE webhook_endpoints ADD COLUMN wanted_at_ms INTEGER NOT NULL DEFAULT 0;
