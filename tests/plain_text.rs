//! Servers on other machines: nothing is said to them in plain text unless the URL allows it. Linux has
//! a second address for that.

#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

/// A machine that is not this one, by its address; it notes what it is told after it has refused TLS.
fn elsewhere() -> (u16, std::thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut wants_tls, mut plain) = ([0; 8], vec![]);
        if stream.read_exact(&mut wants_tls).is_ok() {
            let asks = wants_tls == [0, 0, 0, 8, 4, 210, 22, 47];
            plain.extend(if asks { &[][..] } else { &wants_tls[..] });
            // "No". A client that insists goes away; what another says is read until it waits for an answer.
            stream.write_all(b"N").unwrap();
            stream.set_read_timeout(Some(std::time::Duration::from_secs(1))).unwrap();
            let _ = stream.read_to_end(&mut plain);
        }
        plain
    });
    (port, heard)
}

#[tokio::test]
async fn a_server_elsewhere_hears_nothing_in_plain_text() {
    let (port, heard) = elsewhere();
    let error = djob::connect(&format!("postgres://ada:s3cret@127.0.0.2:{port}/jobs")).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert!(error.to_string().contains("feature `tls`"), "{error}");
    // Whoever did not come is waited for in vain.
    let _ = std::net::TcpStream::connect(("127.0.0.2", port));
    assert_eq!(heard.join().unwrap(), [0; 0]);
}

#[tokio::test]
async fn a_server_elsewhere_is_spoken_to_where_the_url_allows_plain_text() {
    let (port, heard) = elsewhere();
    let url = format!("postgres://ada@127.0.0.2:{port}/jobs?sslmode=disable");
    assert!(djob::connect(&url).await.is_err(), "it is no database");
    let heard = heard.join().unwrap();
    assert!(heard.windows(3).any(|word| word == b"ada"), "{heard:?}");
}
