use djob::job;

#[job]
const fn fixed() {}

#[job]
async unsafe fn risky() {}

#[job]
extern "C" fn foreign() {}

fn main() {}
