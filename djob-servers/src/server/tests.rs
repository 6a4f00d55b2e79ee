//! Servers that fail, played by shell scripts: what their owner is told, and that nothing stays behind.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::recipe::Facts;

/// A server of two scripts; it tells where it was meant to run.
#[derive(Debug)]
struct Scripted {
    initialise: &'static str,
    serve: &'static str,
    ran_in: Arc<Mutex<String>>,
}

impl Recipe for Scripted {
    fn facts(&self) -> &'static Facts {
        &Facts { prefix: "djob-fake", users: &[], database: "test", stop: "TERM", crash: "KILL" }
    }

    fn initialise(&self, folder: &Path) -> Vec<OsString> {
        *self.ran_in.lock().unwrap() = folder.display().to_string();
        script(self.initialise)
    }

    fn serve(&self, _folder: &Path) -> Vec<OsString> {
        script(self.serve)
    }

    fn is_ready(&self, folder: &Path, _pid: u32) -> bool {
        folder.join("ready").exists()
    }

    fn url(&self, folder: &Path, database: &str) -> String {
        format!("fake://{}/{database}", folder.display())
    }
}

fn script(text: &str) -> Vec<OsString> {
    ["/bin/sh", "-c", text].map(OsString::from).to_vec()
}

fn start(initialise: &'static str, serve: &'static str) -> (Result<Server, Error>, String) {
    let ran_in = Arc::default();
    let server = Server::start(Box::new(Scripted { initialise, serve, ran_in: Arc::clone(&ran_in) }));
    let folder = ran_in.lock().unwrap().clone();
    (server, folder)
}

#[test]
fn a_failed_initialisation_tells_its_last_lines_and_leaves_nothing() {
    let (server, folder) = start("seq 100 >&2; echo the disk is made of cheese >&2; exit 3", "true");
    let error = server.unwrap_err().to_string();
    assert!(error.contains("/bin/sh ended with exit status: 3"), "{error}");
    assert!(error.ends_with("100\nthe disk is made of cheese"), "{error}");
    assert!(!error.contains("\n50\n"), "{error}");
    assert!(!Path::new(&folder).exists());
}

#[test]
fn a_server_that_ends_at_once_tells_its_log_and_leaves_nothing() {
    let (server, folder) = start("true", "echo no memory today >&2; exit 1");
    let error = server.unwrap_err();
    assert!(matches!(&error, Error::Exited { log, .. } if log == "no memory today"), "{error}");
    assert!(!Path::new(&folder).exists());
}

#[test]
fn a_server_lives_until_it_is_stopped_and_can_come_back() {
    let (server, folder) = start("true", "touch ready; exec sleep 600");
    let mut server = server.unwrap();
    let first = server.pid().unwrap();
    assert_eq!(server.url(), format!("fake://{folder}/test"));

    server.kill().unwrap();
    assert_eq!(server.pid(), None);
    server.restart().unwrap();
    assert_ne!(server.pid(), Some(first));

    server.stop().unwrap();
    assert!(!Path::new(&folder).exists());
}

#[test]
fn a_server_that_died_by_itself_can_be_restarted() {
    let (server, _) = start("true", "touch ready; exec sleep 0.1");
    let mut server = server.unwrap();
    while server.process.as_mut().unwrap().ended().unwrap().is_none() {
        thread::sleep(POLL);
    }
    server.restart().unwrap();
}
