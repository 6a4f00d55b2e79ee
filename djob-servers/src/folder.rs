//! A private folder among the temporary files, removed when it is dropped.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{self, Path, PathBuf};
use std::process;

use crate::error::Error;
use crate::user::User;

/// Names of folders that an earlier process with our pid left behind are passed over, so many at most.
const NAMES: u32 = 1000;

/// A folder that nobody else may enter.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes `parent/prefix-PID-N`. Short, because the path of a socket in it may have 103 bytes on some systems.
    pub(crate) fn create(parent: &Path, prefix: &str) -> Result<Folder, Error> {
        let stem = parent.join(format!("{prefix}-{}", process::id()));
        let doing = format!("make a folder {}-N", stem.display());
        Folder::first_free(&stem).map(Folder).map_err(Error::io(doing))
    }

    fn first_free(stem: &Path) -> io::Result<PathBuf> {
        let stem = path::absolute(stem)?.into_os_string();
        for n in 0..NAMES {
            let mut name = stem.clone();
            name.push(format!("-{n}"));
            match DirBuilder::new().mode(0o700).create(&name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => return made.map(|()| name.into()),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The user we are: std knows no `geteuid`, but whoever makes a folder owns it.
    pub(crate) fn owner(&self) -> Result<u32, Error> {
        let metadata = fs::metadata(&self.0).map_err(Error::io(format!("read {}", self.0.display())))?;
        Ok(metadata.uid())
    }

    pub(crate) fn give_to(&self, user: User) -> Result<(), Error> {
        let doing = format!("give {} to user {}", self.0.display(), user.uid);
        chown(&self.0, Some(user.uid), Some(user.gid)).map_err(Error::io(doing))
    }

    /// Removes the folder and all in it; already gone is fine.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(format!("remove {}", self.0.display()))(error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody is left to tell, and the watchdog tries again when the process has ended.
        let _ = self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    #[test]
    fn a_folder_is_private_and_goes_when_dropped() {
        let folder = Folder::create(&env::temp_dir(), "djob-folder").unwrap();
        let path = folder.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        fs::write(path.join("something"), "in it").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn two_folders_have_two_names() {
        let one = Folder::create(&env::temp_dir(), "djob-twin").unwrap();
        let two = Folder::create(&env::temp_dir(), "djob-twin").unwrap();
        assert_ne!(one.path(), two.path());
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_which_and_why() {
        let error = Folder::create(Path::new("/nowhere/at/all"), "djob").unwrap_err().to_string();
        assert!(error.contains("cannot make a folder /nowhere/at/all/djob-"), "{error}");
        assert!(error.contains("No such file"), "{error}");
    }
}
