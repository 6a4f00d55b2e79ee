-- MySQL's transactions: the oldest with a connection, and those that were prepared and then left by theirs. The times are
-- those of the system's zone.
(select 'transaction', concat('connection ', trx_mysql_thread_id), cast(trx_mysql_thread_id as signed),
        timestampdiff(microsecond, trx_started, convert_tz(now(6), @@session.time_zone, 'SYSTEM'))
 from information_schema.innodb_trx where trx_mysql_thread_id not in (0, connection_id())
 order by trx_started limit 1)
union all
select 'prepared', '', count(*),
       coalesce(timestampdiff(microsecond, min(trx_started), convert_tz(now(6), @@session.time_zone, 'SYSTEM')), 0)
from information_schema.innodb_trx where trx_mysql_thread_id = 0
