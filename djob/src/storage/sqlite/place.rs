//! Where the file is: SQLite's locks and the shared memory of WAL mode do not hold between machines.

use std::path::Path;

use crate::storage::StorageError;

/// File systems that other machines may write to at the same time.
const SHARED: [&str; 14] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "ncpfs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.s3fs",
    "fuse.rclone",
];

/// Refuses a file on one of those, before anything is opened or made.
pub(super) fn check(file: &Path) -> Result<(), StorageError> {
    judge(file_system(file).as_deref())
}

fn judge(system: Option<&str>) -> Result<(), StorageError> {
    match system.filter(|system| SHARED.contains(system)) {
        Some(system) => Err(StorageError::setting(format!(
            "the database file is on a network file system ({system}), where two machines can corrupt it: \
             put it on a disk of this machine, or use PostgreSQL or MySQL for many machines"
        ))),
        None => Ok(()),
    }
}

/// The kind of the file system that a file is on, or would be. Elsewhere than on Linux there is no list of mounts, and nothing
/// is known.
pub(super) fn file_system(file: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let folder = || Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?));
    let real = file.canonicalize().ok().or_else(folder).unwrap_or_else(|| file.to_owned());
    innermost(&mounts, &real)
}

/// Where two are mounted at one place, the later one counts.
fn innermost(mounts: &str, file: &Path) -> Option<String> {
    let on = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point = before.split(' ').nth(4)?.replace("\\040", " ");
        let depth = Path::new(&point).components().count();
        file.starts_with(&point).then(|| Some((depth, after.split(' ').next()?.to_owned())))?
    });
    on.max_by_key(|(depth, _)| *depth).map(|(_, system)| system)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /srv/my\\040jobs rw - nfs4 host:/jobs rw,vers=4.2
41 22 0:41 / /srv/over rw - ext4 /dev/sdb1 rw
42 22 0:42 / /srv/over rw shared:9 - fuse.sshfs host: rw
";

    #[test]
    fn the_file_system_is_that_of_the_innermost_mount() {
        let system = |file: &str| innermost(MOUNTS, Path::new(file));
        assert_eq!(system("/var/jobs.db").as_deref(), Some("ext4"));
        assert_eq!(system("/srv/my jobs/jobs.db").as_deref(), Some("nfs4"));
        assert_eq!(system("/srv/my jobs.db").as_deref(), Some("ext4"));
        assert_eq!(system("/srv/over/jobs.db").as_deref(), Some("fuse.sshfs"));
        assert_eq!(innermost("", Path::new("/jobs.db")), None);
    }

    #[test]
    fn a_file_that_is_not_there_yet_is_on_the_file_system_of_its_folder() {
        let folder = std::env::temp_dir();
        assert_eq!(file_system(&folder.join("not there yet.db")), file_system(&folder));
    }

    #[test]
    fn a_file_that_other_machines_may_write_to_is_refused_with_the_way_out() {
        for local in [None, Some("ext4"), Some("overlay"), Some("9p"), Some("fuseblk")] {
            assert!(judge(local).is_ok(), "{local:?}");
        }
        for shared in ["nfs4", "cifs", "fuse.sshfs"] {
            let refused = judge(Some(shared)).unwrap_err();
            assert!(refused.is_setting() && refused.to_string().contains(shared), "{refused}");
            assert!(refused.to_string().contains("use PostgreSQL"), "{refused}");
        }
    }
}
