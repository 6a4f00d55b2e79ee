-- MySQL only: the second half of `lock_id.mysql.sql`.
delete from djob_unique where unique_key = concat('id:', hex($1))
