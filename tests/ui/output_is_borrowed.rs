use djob::job;

#[job]
async fn send(text: &str) -> Result<&str, std::io::Error> {
    Ok(text)
}

fn main() {}
