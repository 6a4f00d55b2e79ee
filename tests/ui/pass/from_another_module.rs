//! A job is used by path, by import and by another name.

mod jobs {
    pub mod mail {
        use djob::job;

        /// Send it.
        #[job]
        pub async fn send(to: &str) -> Result<(), std::io::Error> {
            let _ = to;
            Ok(())
        }
    }

    pub mod web {
        /// No import at all.
        #[djob::job]
        pub(in crate::jobs) async fn fetch(url: String) {
            let _ = url;
        }
    }

    pub fn all() {
        let _ = web::fetch.perform_later("https://example.org".to_owned());
    }
}

use jobs::mail::{self, SendJob, send as send_mail};

/// A name that the standard prelude has, shadowed where a job is made.
mod shadows {
    #[allow(dead_code)]
    pub struct Option;
    #[allow(dead_code)]
    pub struct Result;
    #[allow(dead_code)]
    pub struct String;
    #[allow(dead_code)]
    pub struct Vec;

    #[djob::job(unique = |job| job.text.clone())]
    pub async fn shadowed(text: &str, list: &[u8]) {
        let _ = (text, list);
    }
}

fn main() {
    jobs::all();
    let _ = jobs::mail::send.perform_later("a");
    let _ = send_mail.perform_later("a");
    let _ = mail::SendJob { to: "a".to_owned() }.perform_later();
    let job: SendJob = SendJob { to: "a".to_owned() };
    let handle: mail::send = mail::send;
    let _ = (job.perform_later(), handle.perform_later("a"), shadows::shadowed.perform_later("a", &[1]));
}
