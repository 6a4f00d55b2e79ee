-- A suspect is about to begin: if its worker dies from now on it is to blame.
update djob_claims set started_at = now() where id = $1 and fence = $2 and worker = $3
