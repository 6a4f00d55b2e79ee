-- The claim that holds a job: its own row, or that of its batch.
select c.id, c.fence, c.worker, c.queue, c.priority, c.ids, c.kinds, c.run_ats, c.attempts, c.max_attempts, c.args,
       c.metas, c.started_at is not null
from djob_claims as c where c.id = $1 or c.ids @> array[$1]
limit 1
