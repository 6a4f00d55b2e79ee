-- Claims whose worker has no live row: the lease is $1 microseconds, and at most $2 claims are looked at.
select c.id, c.fence, c.worker, c.queue, c.priority, c.ids, c.kinds, c.run_ats, c.attempts, c.max_attempts, c.args,
       c.metas, c.started_at is not null
from djob_claims as c
where not exists (select from djob_workers as w
                  where w.id = c.worker and w.beat_at > now() - $1 * interval '1 microsecond')
limit $2
