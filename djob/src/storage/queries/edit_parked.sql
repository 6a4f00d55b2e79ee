-- A parked job gets other arguments; null if they lie apart.
update djob_parked set args = $2::json, meta = $3::json, version = $4 where id = $1
