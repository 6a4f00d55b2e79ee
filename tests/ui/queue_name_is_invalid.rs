use djob::job;

#[job(queue = "Send Mail")]
async fn capitals_and_a_space() {}

#[job(queue = "9lives")]
async fn a_digit_first() {}

#[job(queue = "")]
async fn empty() {}

#[job(queue = "a_name_that_goes_on_and_on_until_it_is_longer_than_sixty_three_characters")]
async fn too_long() {}

fn main() {}
