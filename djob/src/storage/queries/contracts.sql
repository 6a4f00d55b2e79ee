-- What workers have published about their kinds.
select kind, version, args_schema::text, queue, priority, delay, max_attempts, computed::text from djob_kinds
order by kind, version
