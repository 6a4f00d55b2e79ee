-- Times are plain numbers here.
select case when max(w.id) is null then 'claims of nobody' else 'claims' end, coalesce(max(w.name), ''), count(*),
       now() - coalesce(max(w.beat_at), min(c.claimed_at))
from djob_claims as c left join djob_workers as w on w.id = c.worker
group by c.worker
