-- MySQL's own catalogue.
select 'table', cast(table_name as char) from information_schema.tables
where table_schema = database() and left(table_name, char_length('djob_')) = 'djob_'
union all
select 'column', cast(concat(table_name, '.', column_name) as char) from information_schema.columns
where table_schema = database() and left(table_name, char_length('djob_')) = 'djob_'
union all
select distinct case index_name when 'PRIMARY' then 'key of' else 'index' end,
       cast(case index_name when 'PRIMARY' then table_name else index_name end as char)
from information_schema.statistics
where table_schema = database() and left(table_name, char_length('djob_')) = 'djob_'
union all
select 'function', cast(routine_name as char) from information_schema.routines
where routine_schema = database() and left(routine_name, char_length('djob_')) = 'djob_'
union all
select 'other engine', cast(concat(table_name, ' ', engine) as char) from information_schema.tables
where table_schema = database() and left(table_name, char_length('djob_')) = 'djob_' and engine <> 'InnoDB'
