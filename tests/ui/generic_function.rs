use djob::job;

#[job]
async fn send<T: ToString>(value: T) {
    let _ = value.to_string();
}

#[job]
async fn borrow<'a>(text: &'a str) {
    let _ = text;
}

fn main() {}
