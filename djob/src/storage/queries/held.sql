-- What is claimed for worker $1 and has been for $2 microseconds.
select c.id, c.fence, c.worker, c.queue, c.priority, c.ids, c.kinds, c.run_ats, c.attempts, c.max_attempts, c.args,
       c.metas, c.started_at is not null
from djob_claims as c where c.worker = $1 and c.claimed_at <= now() - $2 * interval '1 microsecond'
