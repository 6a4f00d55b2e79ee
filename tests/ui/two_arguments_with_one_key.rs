use djob::job;

#[job]
async fn send(_id: i64, id: i64) {
    let _ = id;
}

fn main() {}
