-- Of the first $3 jobs of lane ($1, $2) that are due, those that no worker reads which has beaten within the last $4
-- microseconds; each with its version, and the newest version of its kind that any worker reads.
with knows as materialized (
    select k.key as kind, max(k.value::int) as version
    from djob_workers as w cross join lateral json_each_text(w.kinds) as k
    where w.beat_at > now() - $4 * interval '1 microsecond'
    group by k.key
)
select head.id, head.version, knows.version
from (select id, kind, coalesce(substring(meta::text from '"version" *: *([0-9]{1,5})[,} ]')::int, 1) as version from djob_jobs
      where queue = $1 and priority = $2 and run_at <= now() order by run_at, id limit $3) as head
left join knows on knows.kind = head.kind
where knows.version is null or head.version > knows.version
