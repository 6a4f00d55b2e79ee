-- How many transactions of this database are prepared for a commit in two phases, and the oldest of them.
select 'prepared', quote_literal(gid), count(*) over (),
       (extract(epoch from clock_timestamp() - prepared) * 1000000)::bigint
from pg_prepared_xacts where database = current_database()
order by prepared limit 1
