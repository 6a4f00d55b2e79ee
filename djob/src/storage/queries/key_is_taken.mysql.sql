-- MySQL has no `->>` for every version.
select 1 from djob_unique as u
join djob_finished as f on u.unique_key = cast(json_unquote(json_extract(f.meta, '$.unique_key')) as binary)
where f.id = $1 and u.job <> $1
