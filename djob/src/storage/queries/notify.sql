-- PostgreSQL only: tells every listening worker that there is something to look at. It says nothing more than that.
select pg_notify($1, '')
