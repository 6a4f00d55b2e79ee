use djob::job;

#[job]
async fn send(count: &mut u32) {
    *count += 1;
}

fn main() {}
