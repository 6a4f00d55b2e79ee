-- Workers that have been silent for longer than $1 microseconds and have nothing left to rescue.
delete from djob_workers
where beat_at < now() - $1 * interval '1 microsecond'
  and not exists (select 1 from djob_claims where djob_claims.worker = djob_workers.id)
