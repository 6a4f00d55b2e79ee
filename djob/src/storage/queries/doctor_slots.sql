-- Replication slots that nobody reads from, and how many bytes of the write-ahead log are kept for each.
select 'slot', quote_literal(slot_name),
       coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
                                restart_lsn), 0)::bigint, 0::bigint
from pg_replication_slots where not active and not temporary
order by 3 desc limit 20
