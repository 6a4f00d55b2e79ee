-- Sets waiting jobs aside; each $1 is [id, reason, detail, version]. One that somebody has taken meanwhile is not there any more.
with named as materialized (
    select (m ->> 0)::uuid as id, m ->> 1 as reason, m ->> 2 as detail, (m ->> 3)::int as version
    from json_array_elements($1::json) as m
), gone as (
    delete from djob_jobs as j using named where j.id = named.id
    returning j.id, j.queue, j.kind, j.priority, j.run_at, j.attempt, j.max_attempts, j.args, j.meta, named.reason, named.detail,
              named.version
)
insert into djob_parked (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, reason, detail, version,
                         parked_at)
select id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, reason, detail, version, now() from gone
