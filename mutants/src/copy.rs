//! The copy that is broken: what git knows of the workspace, in a folder that stays, so that cargo builds only what changed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The copy, and what is built of it.
pub(crate) struct Copy {
    root: PathBuf,
    pub(crate) tree: PathBuf,
    pub(crate) build: PathBuf,
    pub(crate) logs: PathBuf,
    /// Two at once would break each other's.
    _alone: File,
}

impl Copy {
    /// Makes the copy, or brings the one from the last time up to date.
    pub(crate) fn of(root: PathBuf) -> io::Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let folder = std::path::absolute(target)?.join("mutants");
        let [tree, build, logs] = ["tree", "build", "logs"].map(|name| folder.join(name));
        for folder in [&tree, &build, &logs] {
            fs::create_dir_all(folder)?;
        }
        let alone = File::create(folder.join("lock"))?;
        alone
            .try_lock()
            .map_err(|_| io::Error::other("another `mutants` is at work in this target folder"))?;
        let copy = Copy { root, tree, build, logs, _alone: alone };
        copy.renew()?;
        Ok(copy)
    }

    /// Makes the copy what the workspace is. Only what differs is written: cargo goes by the time of a file.
    pub(crate) fn renew(&self) -> io::Result<()> {
        let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(&self.root).output()?;
        if !listed.status.success() {
            return Err(io::Error::other("`git ls-files` failed: the mutants need a git clone"));
        }
        let listed = String::from_utf8_lossy(&listed.stdout);
        let names: HashSet<&str> = listed.split('\0').filter(|name| !name.is_empty()).collect();
        for name in &names {
            copy(&self.root.join(name), &self.tree.join(name))?;
        }
        self.forget_others(&self.tree, &names)
    }

    fn forget_others(&self, folder: &Path, names: &HashSet<&str>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.strip_prefix(&self.tree).unwrap_or(&path).to_string_lossy();
            if path.is_dir() && !path.is_symlink() {
                self.forget_others(&path, names)?;
            // `Cargo.lock` may be new, and not yet known to git.
            } else if !names.contains(&*name) && name != "Cargo.lock" {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let Ok(kind) = from.symlink_metadata() else {
        // Known to git, and deleted.
        return if to.exists() { fs::remove_file(to) } else { Ok(()) };
    };
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    if kind.is_symlink() {
        let target = fs::read_link(from)?;
        return if to.is_symlink() { Ok(()) } else { std::os::unix::fs::symlink(target, to) };
    }
    let is = fs::read(from)?;
    if fs::read(to).is_ok_and(|was| was == is) { Ok(()) } else { fs::write(to, is) }
}
