use djob::job;

#[job]
async fn send(user_id: i64) -> Result<String, std::io::Error> {
    let unused = 1;
    Ok(user_id)
}

fn main() {
    let _ = send.perform_later(1);
}
