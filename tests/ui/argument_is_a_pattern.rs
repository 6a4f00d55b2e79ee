use djob::job;

#[job]
async fn tuple((a, b): (u8, u8)) {
    let _ = (a, b);
}

#[job]
async fn wild(_: u8) {}

fn main() {}
