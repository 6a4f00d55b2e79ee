-- MySQL limits a delete itself.
delete from djob_finished where keep_until <= now() limit $1
