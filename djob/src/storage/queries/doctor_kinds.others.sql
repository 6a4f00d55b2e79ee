-- Times are plain numbers here.
select 'waiting', kind, count(*), now() - min(run_at)
from (select kind, run_at from djob_jobs where queue = $1 and priority = $2 order by run_at, id limit $3) as head
group by kind
