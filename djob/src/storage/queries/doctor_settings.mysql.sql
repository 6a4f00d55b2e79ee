-- MySQL's own settings: those that MySQL and MariaDB both have.
select 'version', cast(version() as char)
union all
select 'role', cast(concat('''', replace(current_user(), '@', '''@'''), '''') as char)
union all
select 'innodb_flush_log_at_trx_commit', cast(@@global.innodb_flush_log_at_trx_commit as char)
union all
select 'innodb_doublewrite', cast(@@global.innodb_doublewrite as char)
union all
select 'log_bin', cast(@@global.log_bin as char)
union all
select 'sync_binlog', cast(@@global.sync_binlog as char)
union all
select 'read_only', cast(@@global.read_only as char)
union all
select 'innodb_read_only', cast(@@global.innodb_read_only as char)
union all
select 'max_connections', cast(@@global.max_connections as char)
