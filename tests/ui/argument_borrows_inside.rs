use std::borrow::Cow;

use djob::job;

#[job]
async fn send(subject: Option<&str>, text: Cow<'_, str>, to: &[&str]) {
    let _ = (subject, text, to);
}

fn main() {}
