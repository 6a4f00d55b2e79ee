-- Which jobs somebody wants to stop.
select job from djob_cancels order by asked_at limit $1
