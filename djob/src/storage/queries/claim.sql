-- Takes up to $7 due jobs out of the lanes, best lane first, and binds each lane's jobs into one claim row.
-- `ctid = any (array (..))` and not `in (..)` or a join: those were seen to take more rows than the limit says, and to
-- scan the whole table. Each lane is read on from its cursor, past what was taken before.
with lane as materialized (
    select * from unnest($2::text[], $3::smallint[], $4::timestamptz[], $5::uuid[], $6::uuid[]) with ordinality
        as lane (queue, priority, after_at, after_id, claim, n)
), picked as materialized (
    select head.ctid
    from lane cross join lateral (
        select j.ctid from djob_jobs as j
        where j.queue = lane.queue and j.priority = lane.priority and j.run_at <= now()
          and (j.run_at, j.id) > (lane.after_at, lane.after_id)
        order by j.run_at, j.id limit $7 for update skip locked) as head
    limit $7
), taken as (
    delete from djob_jobs where ctid = any (array (select ctid from picked))
    returning id, queue, kind, priority, run_at, attempt, max_attempts, args, meta
)
insert into djob_claims (id, fence, worker, claimed_at, queue, priority, ids, kinds, run_ats, attempts, max_attempts, args, metas)
select lane.claim, lane.claim, $1, now(), lane.queue, lane.priority, array_agg(taken.id), array_agg(taken.kind),
       array_agg(taken.run_at), array_agg(taken.attempt), array_agg(taken.max_attempts), array_agg(taken.args),
       array_agg(taken.meta)
from taken join lane on lane.queue = taken.queue and lane.priority = taken.priority
group by lane.claim, lane.queue, lane.priority
returning id, fence, worker, queue, priority, ids, kinds, run_ats, attempts, max_attempts, args::text[], metas::text[], false
