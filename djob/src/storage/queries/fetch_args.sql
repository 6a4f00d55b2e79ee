-- The large arguments of these jobs.
select id, args::text from djob_args where id = any($1)
