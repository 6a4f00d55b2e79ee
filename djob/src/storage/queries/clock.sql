-- What time it is.
select now()
