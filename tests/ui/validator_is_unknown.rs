use djob::job;

#[job]
async fn send(#[validate(emial)] to: &str) {
    let _ = to;
}

fn main() {}
