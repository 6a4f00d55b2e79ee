use djob::job;

#[job]
async fn send(to: impl ToString, all: Vec<impl ToString>) {
    let _ = (to.to_string(), all.len());
}

fn main() {}
