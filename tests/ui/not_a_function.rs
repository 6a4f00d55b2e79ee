use djob::job;

#[job]
struct Send {
    user_id: i64,
}

fn main() {}
