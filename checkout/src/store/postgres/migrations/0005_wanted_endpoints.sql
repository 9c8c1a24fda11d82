-- When a server last had an endpoint in its configuration. As in the SQLite file.
ALTER TABLE webhook_endpoints ADD COLUMN wanted_at_ms BIGINT NOT NULL DEFAULT 0;

-- The oldest version, by the number of its steps, that can work with the tables as they are. A step that takes something
-- away from older versions raises it; until then they go on serving beside the new ones.
CREATE TABLE oldest_version (steps BIGINT NOT NULL);
INSERT INTO oldest_version (steps) VALUES (1);
