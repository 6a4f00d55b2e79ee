use djob::job;

#[job(version = 2, upcast = "v1_to_v2")]
async fn send(_to: String) {}

fn main() {}
