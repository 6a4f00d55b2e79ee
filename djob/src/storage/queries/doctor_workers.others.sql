-- Times are plain numbers here.
select 'kinds', kinds, concurrency, now() - beat_at from djob_workers
union all
select 'queues', queues, concurrency, now() - beat_at from djob_workers
