-- Which job holds a unique key.
select job from djob_unique where unique_key = $1
