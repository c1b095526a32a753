-- Indexes for what is asked of events, and views for the common questions (docs/queries.md).

CREATE INDEX events_time ON events (time);
CREATE INDEX events_rule ON events (rule, time);
CREATE INDEX events_region ON events (region_id, time) WHERE region_id IS NOT NULL;
CREATE INDEX events_store ON events (store_id, time) WHERE store_id IS NOT NULL;
CREATE INDEX timeline_first ON timeline (first);
CREATE INDEX chain_incident ON chain (incident, step);

-- Every region, store, code and incident that an event names, one a row.
CREATE VIEW event_regions AS SELECT events.rowid AS event, value AS region_id FROM events, json_each(events.regions);
CREATE VIEW event_stores AS SELECT events.rowid AS event, value AS store_id FROM events, json_each(events.stores);
CREATE VIEW event_codes AS SELECT events.rowid AS event, value AS error_code FROM events, json_each(events.error_code);
CREATE VIEW event_incidents AS SELECT events.rowid AS event, value AS incident FROM events, json_each(events.incident);

-- What needs somebody, worst first.
CREATE VIEW open_incidents AS
SELECT incident, kind, severity, start, task, cause, verdict, summary, commands FROM incidents WHERE status = 'open'
ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'error' THEN 1 WHEN 'warning' THEN 2 WHEN 'notice' THEN 3 ELSE 4 END, start;

-- The story of each incident, step by step.
CREATE VIEW stories AS
SELECT chain.incident, incidents.task, chain.step, chain.first, chain.count, chain.what, chain.stores, chain.regions,
       chain.file || ':' || chain.line AS evidence
FROM chain JOIN incidents USING (incident) ORDER BY chain.incident, chain.step;

-- How often, where and when.
CREATE VIEW rule_counts AS
SELECT rule, severity, count(*) AS events, count(DISTINCT store_id) AS stores, count(DISTINCT region_id) AS regions,
       min(time) AS first, max(time) AS last
FROM events GROUP BY rule, severity ORDER BY events DESC, rule;
CREATE VIEW store_counts AS
SELECT store_id, count(*) AS events, sum(severity IN ('error', 'critical')) AS errors, count(DISTINCT rule) AS rules,
       min(time) AS first, max(time) AS last
FROM events WHERE store_id IS NOT NULL GROUP BY store_id ORDER BY events DESC, store_id;
CREATE VIEW region_counts AS
SELECT region_id, count(*) AS events, sum(severity IN ('error', 'critical')) AS errors, count(DISTINCT store_id) AS stores,
       min(time) AS first, max(time) AS last
FROM events WHERE region_id IS NOT NULL GROUP BY region_id ORDER BY events DESC, region_id;
CREATE VIEW per_minute AS
SELECT substr(time, 1, 16) || ':00Z' AS minute, store_id, severity, count(*) AS events
FROM events WHERE time IS NOT NULL GROUP BY minute, store_id, severity ORDER BY minute, store_id, severity;

-- How far each task's checkpoint lagged whenever it was seen, in seconds.
CREATE VIEW lag AS
SELECT task, seen, time AS checkpoint, round((julianday(seen) - julianday(time)) * 86400, 3) AS lag_s
FROM progress WHERE what = 'checkpoint' ORDER BY task, seen;

-- What the report does not know.
CREATE VIEW unread AS SELECT file, status, problem FROM sources WHERE status <> 'read' ORDER BY file;
