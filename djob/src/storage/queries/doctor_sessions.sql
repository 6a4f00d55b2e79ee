-- The transaction in this database that has been open for longest, and how many sessions this role is not shown. Those in
-- other databases hold back no vacuum here.
with sessions as (
    select * from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
)
(select 'transaction', concat_ws(', ', 'process ' || pid, usename, nullif(application_name, ''), state), pid::bigint,
        (extract(epoch from clock_timestamp() - xact_start) * 1000000)::bigint
 from sessions where xact_start is not null and backend_type = 'client backend' order by xact_start limit 1)
union all
select 'hidden sessions', '', count(*), 0::bigint from sessions where query = '<insufficient privilege>'
