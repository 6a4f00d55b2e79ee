use djob::job;

#[job(retires = 5, queue = "Mail", timeout = 30, keep = "7 days")]
async fn send(&self, (a, b): (u8, u8), mailer: &Mailer, text: Option<&str>) -> impl ToString {
    ""
}

struct Mailer;

fn main() {}
