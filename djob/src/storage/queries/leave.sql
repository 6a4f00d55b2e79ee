-- A worker ends.
delete from djob_workers where id = $1
