use djob::job;

#[job]
async fn send(
    #[validate(email)] to: i64,
    #[validate(url)] link: bool,
    #[validate(length(max = 5))] count: u32,
    #[validate(range(min = 1))] text: &str,
) {
    let _ = (to, link, count, text);
}

fn main() {}
