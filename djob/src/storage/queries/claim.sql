-- Takes up to $7 due jobs out of the lanes, best lane first, and binds each lane's jobs into one claim row. Whether a queue is
-- paused is asked here, too: the lane may have been found long ago. With kinds $8 and their versions $9 only jobs are taken that
-- these read. The version is looked for in the text: taken out as JSON, any string in it that SQL cannot hold would be an error.
-- `ctid = any (array (..))` and not `in (..)` or a join: those were seen to take more rows than the limit says, and to
-- scan the whole table. Each lane is read on from its cursor, past what was taken before. `batch` is materialized, or it would
-- be put together anew for each lane.
with picked as materialized (
    select head.ctid
    from unnest($2::text[], $3::smallint[], $4::timestamptz[], $5::uuid[]) as lane (queue, priority, after_at, after_id)
    cross join lateral (
        select j.ctid from djob_jobs as j
        where j.queue = lane.queue and j.priority = lane.priority and j.run_at <= now()
          and (j.run_at, j.id) > (lane.after_at, lane.after_id)
          and ($8::text[] is null
               or j.kind = any ($8) and coalesce(substring(j.meta::text from '"version" *: *([0-9]{1,5})[,} ]')::int, 1)
                                        <= ($9::int[])[array_position($8, j.kind)])
        order by j.run_at, j.id limit $7 for update skip locked) as head
    where not exists (select from djob_queues as q where q.name = lane.queue and q.paused_at is not null)
    limit $7
), taken as (
    delete from djob_jobs where ctid = any (array (select ctid from picked))
    returning id, queue, kind, priority, run_at, attempt, max_attempts, args, meta
), batch as materialized (
    select queue, priority, array_agg(id) as ids, array_agg(kind) as kinds, array_agg(run_at) as run_ats,
           array_agg(attempt) as attempts, array_agg(max_attempts) as max_attempts, array_agg(args) as args,
           array_agg(meta) as metas
    from taken group by queue, priority
)
insert into djob_claims (id, fence, worker, claimed_at, queue, priority, ids, kinds, run_ats, attempts, max_attempts, args, metas)
select lane.claim, lane.claim, $1, now(), queue, priority, ids, kinds, run_ats, attempts, max_attempts, args, metas
from unnest($2::text[], $3::smallint[], $6::uuid[]) as lane (queue, priority, claim) join batch using (queue, priority)
returning id, fence, worker, queue, priority, ids, kinds, run_ats, attempts, max_attempts, args, metas, false
