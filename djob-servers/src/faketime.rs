//! libfaketime: a library that lets a process believe in another time.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Missing;

const FOLDERS: &str = "/usr/lib/*/faketime, /usr/lib64/faketime";

const ADVICE: &str = "  \
  Debian, Ubuntu: apt-get install faketime
  Fedora:         dnf install libfaketime
  or set DJOB_TEST_FAKETIME to the library";

/// Finds the library, to be named in `LD_PRELOAD`; its variables begin with `FAKETIME`. It is the file `DJOB_TEST_FAKETIME` if
/// that is set, or lies where distributions put it.
///
/// # Errors
///
/// [`Missing`] says where it was looked for and how to install it.
///
/// ```no_run
/// let library = djob_servers::faketime()?;
/// println!("LD_PRELOAD={}", library.display());
/// # Ok::<(), djob_servers::Missing>(())
/// ```
pub fn faketime() -> Result<PathBuf, Missing> {
    if let Some(chosen) = env::var_os("DJOB_TEST_FAKETIME").filter(|file| !file.is_empty()) {
        return Ok(chosen.into());
    }
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = folders.chain([PathBuf::from("/usr/lib64")]);
    let library = |folder: PathBuf| folder.join(Path::new("faketime/libfaketimeMT.so.1"));
    folders.map(library).find(|library| library.is_file()).ok_or_else(|| Missing {
        programs: "the library libfaketime",
        looked_in: FOLDERS.into(),
        advice: ADVICE,
    })
}
