-- Times are plain numbers here.
select 'parked ' || reason, kind, count(*), now() - min(parked_at) from djob_parked group by reason, kind
order by 3 desc limit 100
