-- The database that has used most of its transaction ids since the last freeze.
select 'transaction ids', datname::text, greatest(age(datfrozenxid), mxid_age(datminmxid))::bigint, 0::bigint
from pg_database order by 3 desc limit 1
