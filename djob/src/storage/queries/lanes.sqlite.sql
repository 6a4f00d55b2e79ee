-- SQLite has no lateral joins: each step seeks the next lane, and its first job, by scalar subqueries.
with recursive lane (queue, priority) as (
    select * from (select queue, priority from djob_jobs order by queue, priority limit 1)
    union all
    select coalesce(same, later),
           case when same is not null
                then (select priority from djob_jobs where queue = same and priority > above order by priority limit 1)
                else (select priority from djob_jobs where queue = later order by priority limit 1) end
    from (select lane.priority as above,
                 (select j.queue from djob_jobs as j where j.queue = lane.queue and j.priority > lane.priority limit 1) as same,
                 (select j.queue from djob_jobs as j where j.queue > lane.queue order by j.queue limit 1) as later
          from lane)
    where coalesce(same, later) is not null
)
select queue, priority,
       (select run_at from djob_jobs as j where j.queue = lane.queue and j.priority = lane.priority order by run_at limit 1),
       now()
from lane
where priority between $1 and $2
  and not exists (select 1 from djob_queues as q where q.name = lane.queue and q.paused_at is not null)
