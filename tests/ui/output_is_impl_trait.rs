use djob::job;

#[job]
async fn send() -> Result<impl ToString, std::io::Error> {
    Ok("")
}

#[job]
async fn serve() -> ! {
    loop {}
}

fn main() {}
