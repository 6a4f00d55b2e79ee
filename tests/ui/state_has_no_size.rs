use djob::job;

trait Mailer: Send + Sync {}

#[job]
async fn object(#[state] mailer: &dyn Mailer) {
    let _ = mailer;
}

#[job]
async fn text(#[state] key: &str, #[state] keys: &[String]) {
    let _ = (key, keys);
}

fn main() {}
