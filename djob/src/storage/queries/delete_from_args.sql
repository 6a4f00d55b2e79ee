-- Deletes one job's row from djob_args.
delete from djob_args where id = $1
