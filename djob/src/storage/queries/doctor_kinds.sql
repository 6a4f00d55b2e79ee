-- The kinds of the first $3 jobs of the lane ($1, $2), and since when the first of each is due.
select 'waiting', kind, count(*), (extract(epoch from now() - min(run_at)) * 1000000)::bigint
from (select kind, run_at from djob_jobs where queue = $1 and priority = $2 order by run_at, id limit $3) as head
group by kind
