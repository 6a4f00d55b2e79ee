-- The usual case of `settle.sql`: every job of these claims completed, and all are kept for $8 microseconds (null: for
-- ever). Nothing but the results travels: the rows are copied out of the claims. Claim rows $1, fences $2, worker $3; of
-- each claim how many jobs it has ($4) and how many come before them ($5) in the run times $6 and the results $7.
with ended as (
    select * from unnest($1::uuid[], $2::uuid[], $4::integer[], $5::integer[]) as ended (id, fence, jobs, before)
), gone as (
    delete from djob_claims as c using ended
    where c.id = ended.id and c.fence = ended.fence and c.worker = $3 and cardinality(c.ids) = ended.jobs
    returning c.id, c.queue, c.priority, c.ids, c.kinds, c.run_ats, c.attempts, c.max_attempts, c.args, c.metas,
              ended.before + 1 as first, ended.before + ended.jobs as last
), kept as (
    insert into djob_finished (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, state, result, error,
                               worker, ran_us, finished_at, keep_until)
    select job.id, gone.queue, job.kind, gone.priority, job.run_at, job.attempt, job.max_attempts, job.args, job.meta,
           'completed', job.result::json, null, $3, job.ran_us, now(), coalesce(now() + $8 * interval '1 microsecond', 'infinity')
    from gone cross join lateral unnest(gone.ids, gone.kinds, gone.run_ats, gone.attempts, gone.max_attempts, gone.args, gone.metas,
                                        ($6::bigint[])[gone.first:gone.last], ($7::text[])[gone.first:gone.last])
        as job (id, kind, run_at, attempt, max_attempts, args, meta, ran_us, result)
)
select id from gone
