-- SQLite's own catalogue.
with found as (select type, name from sqlite_schema where substr(name, 1, length('djob_')) = 'djob_')
select type, name from found where type in ('table', 'index')
union all
select 'column', found.name || '.' || c.name from found, pragma_table_info(found.name) as c where found.type = 'table'
union all
select distinct 'key of', found.name from found, pragma_table_info(found.name) as c where found.type = 'table' and c.pk > 0
