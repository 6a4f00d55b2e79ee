//! Who a server runs as: database servers refuse to be root, so root lends them another user.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// `nobody`, where the list of users does not say otherwise.
const NOBODY: User = User { uid: 65534, gid: 65534 };

/// A user and its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// The user to run as instead of `uid`: none unless that is root, else the first of `preferred` that exists.
    pub(crate) fn instead_of(uid: u32, preferred: &[&str]) -> Option<User> {
        (uid == 0).then(|| User::among(&fs::read_to_string("/etc/passwd").unwrap_or_default(), preferred))
    }

    fn among(passwd: &str, preferred: &[&str]) -> User {
        let named = |name: &&str| passwd.lines().find_map(|line| User::from_line(line, name));
        preferred.iter().chain(&["nobody"]).find_map(named).unwrap_or(NOBODY)
    }

    /// Reads `name:x:uid:gid:…`.
    fn from_line(line: &str, name: &str) -> Option<User> {
        let mut fields = line.strip_prefix(name)?.strip_prefix(':')?.split(':').skip(1);
        Some(User { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }

    /// Lets `command` run as this user. std also clears the supplementary groups.
    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0::/root:/bin/sh\npostgresql:x:7:7:::\nnobody:x:99:98:::\npostgres:x:101:104:::\n";

    #[test]
    fn only_root_needs_another_user() {
        assert_eq!(User::instead_of(1000, &["postgres"]), None);
        assert!(User::instead_of(0, &["postgres"]).is_some_and(|user| user.uid != 0));
    }

    #[test]
    fn the_preferred_user_wins_then_nobody_then_a_number() {
        assert_eq!(User::among(PASSWD, &["postgres"]), User { uid: 101, gid: 104 });
        assert_eq!(User::among(PASSWD, &["mysql"]), User { uid: 99, gid: 98 });
        assert_eq!(User::among("", &["mysql"]), NOBODY);
    }
}
