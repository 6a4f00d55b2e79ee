-- Rows of the hot tables, and those that a vacuum has yet to remove.
with hot as (
    select relname::text as name, n_live_tup, n_dead_tup from pg_stat_all_tables
    where relid in (to_regclass('djob_jobs'), to_regclass('djob_claims'))
)
select 'rows', name, n_live_tup, 0::bigint from hot
union all
select 'dead rows', name, n_dead_tup, 0::bigint from hot
