use djob::job;

fn v1_to_v2(old: String) -> SendJob {
    SendJob { to: old }
}

#[job(upcast = [v1_to_v2])]
async fn send(_to: String) {}

fn main() {}
