-- What there is of djob's tables, columns, indexes and functions, and which of them are not as they should be. Partitions
-- have the columns of their table.
with place as (
    select nullif(rtrim(regexp_replace('djob_', '[^.]*$', ''), '.'), '') as schema,
           regexp_replace('djob_', '^.*[.]', '') as prefix
), found as (
    select c.oid, c.relname::text as name, c.relkind, c.relpersistence, c.relispartition, c.reloptions
    from place
    join pg_class as c on starts_with(c.relname::text, place.prefix)
    join pg_namespace as n on n.oid = c.relnamespace
    where case when place.schema is null then pg_table_is_visible(c.oid) else n.nspname = place.schema end
)
select 'table', name from found where relkind in ('r', 'p')
union all
select 'column', name || '.' || a.attname from found join pg_attribute as a on a.attrelid = found.oid
where relkind in ('r', 'p') and not relispartition and a.attnum > 0 and not a.attisdropped
union all
select case when i.indisvalid then 'index' else 'invalid index' end, name
from found join pg_index as i on i.indexrelid = found.oid
union all
select 'key of', name from found join pg_index as i on i.indrelid = found.oid where i.indisprimary
union all
select 'function', p.proname::text from place join pg_proc as p on starts_with(p.proname::text, place.prefix)
join pg_namespace as n on n.oid = p.pronamespace
where case when place.schema is null then pg_function_is_visible(p.oid) else n.nspname = place.schema end
union all
select 'unlogged', name from found where relkind in ('r', 'p') and relpersistence = 'u'
union all
select 'not vacuumed', name from found, unnest(reloptions) as option
where option ~ '^autovacuum_enabled=(off|false|no|0)$'
