-- Claims whose worker has no live row: the lease is $1 microseconds, and at most $3 claims are looked
-- at, from the first behind $2 on.
select c.id, c.fence, c.worker, c.queue, c.priority, c.ids, c.kinds, c.run_ats, c.attempts, c.max_attempts, c.args,
       c.metas, c.started_at is not null
from djob_claims as c
where not exists (select from djob_workers as w
                  where w.id = c.worker and w.beat_at > now() - $1 * interval '1 microsecond')
  and c.id > $2
order by c.id
limit $3
