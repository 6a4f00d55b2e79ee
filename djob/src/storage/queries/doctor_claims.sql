-- How many claims each worker holds, and for how long it has been silent; if it has no row, how old the first of them is.
select case when w.id is null then 'claims of nobody' else 'claims' end, coalesce(w.name, ''), count(*),
       (extract(epoch from now() - coalesce(w.beat_at, min(c.claimed_at))) * 1000000)::bigint
from djob_claims as c left join djob_workers as w on w.id = c.worker
group by c.worker, w.id
