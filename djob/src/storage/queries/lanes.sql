-- Every lane with something in it and when its first job is due: a loose index scan, one probe for each lane. A lane
-- beyond $1 and $2 (the priorities served) is passed over, as is a paused queue.
with recursive lane as (
    (select queue, priority, run_at from djob_jobs order by queue, priority, run_at, id limit 1)
    union all
    select next.queue, next.priority, next.run_at
    from lane cross join lateral (
        select queue, priority, run_at from djob_jobs as j
        where (j.queue, j.priority) > (lane.queue, lane.priority)
        order by queue, priority, run_at, id limit 1) as next
)
select queue, priority, run_at, now() as seen_at from lane
where priority between $1 and $2
  and not exists (select from djob_queues as q where q.name = lane.queue and q.paused_at is not null)
