-- How many jobs are parked, by reason and kind, and since when.
select 'parked ' || reason, kind, count(*), (extract(epoch from now() - min(parked_at)) * 1000000)::bigint
from djob_parked group by reason, kind order by 3 desc limit 100
