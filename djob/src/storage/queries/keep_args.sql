-- Arguments over 1 KB of one job.
insert into djob_args (id, args) values ($1, $2::json)
