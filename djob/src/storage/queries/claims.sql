-- What runs, newest claim first.
select c.id, c.fence, c.worker, c.queue, c.priority, c.ids, c.kinds, c.run_ats, c.attempts, c.max_attempts, c.args::text[],
       c.metas::text[], c.started_at is not null
from djob_claims as c order by c.id desc limit $1
