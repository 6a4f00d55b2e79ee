use djob::job;

#[job]
#[allow(non_snake_case)]
async fn sendMail() {}

fn main() {}
