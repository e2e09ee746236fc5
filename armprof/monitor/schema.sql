-- The store of armprof monitor. docs/monitor.md tells how to read it.

CREATE TABLE sessions (      -- one run of the monitor
    id INTEGER PRIMARY KEY,
    began_ns INTEGER NOT NULL,      -- Unix time in nanoseconds, as all times that end in at_ns, began_ns, ended_ns
    ended_ns INTEGER,               -- NULL while it runs, and where it was killed
    host TEXT NOT NULL,
    core TEXT,                      -- the core's table, NULL where unknown
    whole TEXT NOT NULL,            -- the target that is all of it: "machine", "process 4711", ...
    scope TEXT NOT NULL,            -- in words
    mode TEXT NOT NULL,             -- "user", or "all": kernel mode too
    interval_ns INTEGER NOT NULL,
    armprof TEXT NOT NULL
);

CREATE TABLE series (        -- what is measured, of whom
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,             -- "count", "level", "latency"
    target TEXT NOT NULL,           -- "cpu0", "process 4711", ...; of a latency the program
    name TEXT NOT NULL,             -- the event, the level, the component
    unit TEXT NOT NULL DEFAULT '',  -- "" for events
    status TEXT,                    -- NULL where it is measured; else why not: unsupported, not_permitted, not_counted
    reason TEXT,
    UNIQUE (kind, target, name)
);

CREATE TABLE ticks (         -- one interval
    id INTEGER PRIMARY KEY,         -- in the order in which they were taken, whatever the wall clock did
    session INTEGER NOT NULL REFERENCES sessions,
    at_ns INTEGER NOT NULL,         -- its end
    span_ns INTEGER NOT NULL,       -- its length, by a clock that nobody sets
    late_ns INTEGER NOT NULL,       -- how late it was taken
    step_ns INTEGER NOT NULL        -- the interval that was wanted; more once it was joined with others
);
CREATE INDEX ticks_at ON ticks (at_ns);

CREATE TABLE counts (        -- what one event counted in one interval; no row: a gap
    tick INTEGER NOT NULL,
    series INTEGER NOT NULL,
    value REAL,                     -- raw, scaled where it was multiplexed; NULL: the counter never ran in the interval
    raw INTEGER NOT NULL,
    enabled_ns INTEGER NOT NULL,    -- how long it wanted to count
    running_ns INTEGER NOT NULL,    -- how long it did
    PRIMARY KEY (tick, series)
) WITHOUT ROWID;

CREATE TABLE levels (        -- the state at the end of an interval; the mean of those joined
    tick INTEGER NOT NULL,
    series INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (tick, series)
) WITHOUT ROWID;

CREATE TABLE latencies (     -- how long the calls took that ended in one interval
    tick INTEGER NOT NULL,
    series INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    total_ns REAL NOT NULL,
    buckets TEXT NOT NULL,          -- JSON: {"lower bound in ns": calls, ...}
    PRIMARY KEY (tick, series)
) WITHOUT ROWID;

CREATE TABLE marks (         -- what happened
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions,
    at_ns INTEGER NOT NULL,
    target TEXT NOT NULL,           -- "" for all
    kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX marks_of_gaps ON marks (at_ns) WHERE kind IN ('offline', 'online', 'failed');

CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions,
    cause TEXT NOT NULL,
    rule TEXT NOT NULL,             -- that fired first
    target TEXT NOT NULL,
    began_ns INTEGER NOT NULL,
    ended_ns INTEGER,               -- NULL while it lasts
    value REAL NOT NULL,            -- when it began
    text TEXT NOT NULL
);

CREATE VIEW samples AS       -- counts with their names and times
SELECT strftime('%Y-%m-%d %H:%M:%f', t.at_ns / 1e9, 'unixepoch') AS at, t.at_ns, t.span_ns, t.session, s.target, s.name AS event, s.unit,
       c.value, c.raw, c.enabled_ns, c.running_ns,
       c.value * 1e9 / t.span_ns AS per_second,
       CASE WHEN c.enabled_ns > 0 THEN min(1.0, c.running_ns * 1.0 / c.enabled_ns) END AS coverage
FROM counts c JOIN ticks t ON t.id = c.tick JOIN series s ON s.id = c.series;

CREATE VIEW states AS        -- levels with their names and times
SELECT strftime('%Y-%m-%d %H:%M:%f', t.at_ns / 1e9, 'unixepoch') AS at, t.at_ns, t.span_ns, t.session, s.target, s.name AS level, s.unit,
       l.value
FROM levels l JOIN ticks t ON t.id = l.tick JOIN series s ON s.id = l.series;
