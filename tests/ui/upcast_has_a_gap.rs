use djob::job;

fn v2_to_v3(old: String) -> SendJob {
    SendJob { to: old }
}

#[job(version = 3, upcast = v2_to_v3)]
async fn send(_to: String) {}

fn main() {}
