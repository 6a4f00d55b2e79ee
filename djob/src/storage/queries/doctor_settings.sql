-- What the server is and how it is set, as djob's own connections see it; and where each setting comes from.
with chosen as (
    select name, setting, source from pg_settings
    where name in ('server_version', 'fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum', 'statement_timeout',
                   'default_transaction_read_only', 'max_connections')
)
select name, setting from chosen
union all
select 'source of ' || name, source from chosen
union all
select 'role', quote_ident(current_user)
union all
select 'database', quote_ident(current_database())
union all
select 'superuser', rolsuper::text from pg_roles where rolname = current_user
union all
select 'standby', pg_is_in_recovery()::text
union all
select 'tls', coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false)::text
union all
select 'connections', sum(numbackends)::text from pg_stat_database
union all
select 'reserved connections', sum(setting::int)::text from pg_settings
where name in ('superuser_reserved_connections', 'reserved_connections')
