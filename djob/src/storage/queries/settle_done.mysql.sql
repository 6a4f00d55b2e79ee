-- One claim row at a time, and no `returning`: how many rows went says it.
delete from djob_claims where id = $1 and fence = $2 and worker = $3
