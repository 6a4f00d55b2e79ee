-- MySQL keeps a claim's jobs as JSON.
select queue, case when run_at <= now() then 'ready' else 'scheduled' end as state, count(*), min(run_at), now()
from djob_jobs group by 1, 2
union all
select queue, 'running', cast(sum(json_length(jobs)) as signed), null, now() from djob_claims group by 1
union all
select queue, 'parked', count(*), null, now() from djob_parked group by 1
union all
select queue, state, count(*), null, now() from djob_finished group by 1, 2
