use djob::job;

enum Failure {}

#[job]
async fn send() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
