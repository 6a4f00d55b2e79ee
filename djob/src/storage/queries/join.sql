-- A worker begins.
insert into djob_workers (id, name, host, pid, version, queues, kinds, concurrency, started_at, beat_at)
values ($1, $2, $3, $4, $5, $6::json, $7::json, $8, now(), now())
