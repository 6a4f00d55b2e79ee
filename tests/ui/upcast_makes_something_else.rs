use djob::job;

fn v1_to_v2(old: String) -> Result<u64, String> {
    old.parse().map_err(|_| "it is no number".to_owned())
}

#[job(version = 2, upcast = v1_to_v2)]
async fn send(_to: String) {}

fn main() {}
