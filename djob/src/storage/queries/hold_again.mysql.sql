-- MySQL has no `->>` for every version.
insert ignore into djob_unique (unique_key, job)
select json_unquote(json_extract(j.meta, '$.unique_key')), j.id from djob_jobs as j
where j.id = $1 and json_extract(j.meta, '$.unique_key') is not null
