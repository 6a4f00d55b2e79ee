-- Finished jobs whose time is up and that are not in a partition that can be dropped whole.
delete from djob_finished_rest where ctid = any (array (
    select ctid from djob_finished_rest where keep_until <= now() limit $1))
