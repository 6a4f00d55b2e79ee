-- What runs, newest claim first.
select c.id, c.fence, c.worker, c.queue, c.priority, c.ids, c.kinds, c.run_ats, c.attempts, c.max_attempts, c.args,
       c.metas, c.started_at is not null
from djob_claims as c order by c.id desc limit $1
