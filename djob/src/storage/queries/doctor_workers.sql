-- What each worker serves, and for how long it has been silent.
select 'kinds', kinds::text, concurrency::bigint, (extract(epoch from now() - beat_at) * 1000000)::bigint from djob_workers
union all
select 'queues', queues::text, concurrency::bigint, (extract(epoch from now() - beat_at) * 1000000)::bigint from djob_workers
