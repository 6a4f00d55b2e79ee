-- SQLite's own settings, of one connection.
select 'version', sqlite_version()
union all
select 'synchronous', cast(synchronous as text) from pragma_synchronous
union all
select 'journal_mode', journal_mode from pragma_journal_mode
