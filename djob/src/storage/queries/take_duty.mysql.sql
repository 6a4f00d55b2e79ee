-- MySQL does not say whether an upsert changed anything: an update, and `first_duty.sql` where there is no row yet.
update djob_duties set worker = $2, taken_until = now() + $3 where name = $1 and taken_until <= now()
