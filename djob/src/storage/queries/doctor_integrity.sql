-- Whether SQLite finds its file in order: the first thing it has to say.
select 'integrity', quick_check from pragma_quick_check limit 1
