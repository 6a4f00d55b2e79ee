use std::cell::Cell;

use djob::job;

#[job]
async fn send(#[state] count: &Cell<u32>) {
    let _ = count;
}

fn main() {}
