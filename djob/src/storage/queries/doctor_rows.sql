-- Rows of the hot tables, those that a vacuum has yet to remove, and how large the indexes are.
with hot as (
    select relid, relname::text as name, n_live_tup, n_dead_tup from pg_stat_all_tables
    where relid in (to_regclass('djob_jobs'), to_regclass('djob_claims'))
)
select 'rows', name, n_live_tup, 0::bigint from hot
union all
select 'dead rows', name, n_dead_tup, 0::bigint from hot
union all
select 'index of ' || name, c.relname::text, pg_relation_size(c.oid), 0::bigint
from hot join pg_index as i on i.indrelid = hot.relid join pg_class as c on c.oid = i.indexrelid
