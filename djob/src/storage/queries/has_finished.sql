-- Whether job $1 is finished, and worker $2 has finished it.
select 1 from djob_finished where id = $1 and worker = $2 limit 1
