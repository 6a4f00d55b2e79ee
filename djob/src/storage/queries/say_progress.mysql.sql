-- MySQL has its own words for a conflict.
insert into djob_progress (job, fraction, said_at) values ($1, $2, now())
on duplicate key update fraction = values(fraction), said_at = values(said_at)
