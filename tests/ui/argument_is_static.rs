use djob::job;

#[job]
async fn send(text: &'static str) {
    let _ = text;
}

fn main() {}
