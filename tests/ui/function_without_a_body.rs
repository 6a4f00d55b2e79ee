use djob::job;

trait Jobs {
    #[job]
    fn send(
        /** The user. */
        user_id: i64,
    );
}

fn main() {}
