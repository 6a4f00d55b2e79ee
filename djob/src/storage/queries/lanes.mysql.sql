-- MySQL's own loose index scan: one probe for each lane, which it does for `min` within a grouping by the index, if nothing else
-- is asked of the rows. The limit keeps what is asked of the lanes out of it.
select lane.queue, lane.priority, lane.run_at, now()
from (select queue, priority, min(run_at) as run_at from djob_jobs group by queue, priority
      limit 18446744073709551615) as lane
where lane.priority between $1 and $2
  and not exists (select 1 from djob_queues as q where q.name = lane.queue and q.paused_at is not null)
