-- SQLite has no lateral joins: each step finds the first job of the next lane by a scalar subquery. Two of them, as a comparison
-- of pairs would walk over the whole lane: SQLite begins it with the pair itself. `cross join` fixes the order of a join: after
-- an `analyze` it would read all jobs, to find those of the lanes among them.
with recursive head (id) as (
    select * from (select id from djob_jobs order by queue, priority, run_at, id limit 1)
    union all
    select coalesce(
        (select next.id from djob_jobs as next where next.queue = j.queue and next.priority > j.priority
         order by next.priority, next.run_at, next.id limit 1),
        (select next.id from djob_jobs as next where next.queue > j.queue
         order by next.queue, next.priority, next.run_at, next.id limit 1))
    from head cross join djob_jobs as j on j.id = head.id
)
select j.queue, j.priority, j.run_at, now() from head cross join djob_jobs as j on j.id = head.id
where j.priority between $1 and $2
  and not exists (select 1 from djob_queues as q where q.name = j.queue and q.paused_at is not null)
