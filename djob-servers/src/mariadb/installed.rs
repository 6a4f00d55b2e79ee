//! Where MariaDB's server is, and the SQL files that make its first data.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Missing;

/// Where distributions put the server, and its files beside it.
const PREFIXES: &[&str] = &[
    "usr",
    "usr/local",
    "opt/homebrew/opt/mariadb",
    "usr/local/opt/mariadb",
    "home/linuxbrew/.linuxbrew/opt/mariadb",
];
const PROGRAMS: &[&str] = &["sbin/mariadbd", "bin/mariadbd", "libexec/mariadbd"];
const FILES: &[&str] = &["share/mysql", "share/mariadb"];

const ADVICE: &str = "  \
  Debian, Ubuntu: apt-get install mariadb-server-core
  Fedora:         dnf install mariadb-server
  macOS:          brew install mariadb
  or set DJOB_TEST_MARIADBD to the server, or DJOB_TEST_MYSQL_URL to a throw-away server";

/// A MariaDB server as it is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    server: PathBuf,
    files: PathBuf,
}

impl Installed {
    /// The server.
    pub fn server(&self) -> &Path {
        &self.server
    }

    /// The folder of its SQL files and messages.
    pub fn files(&self) -> &Path {
        &self.files
    }

    /// The server at this place, if its files lie where its prefix says.
    fn of(server: &Path) -> Option<Installed> {
        let server = fs::canonicalize(server).ok().filter(|server| server.is_file())?;
        let prefix = server.parent()?.parent()?;
        let mut files = FILES.iter().map(|folder| prefix.join(folder));
        let files = files.find(|folder| folder.join("mysql_system_tables.sql").is_file())?;
        Some(Installed { server, files })
    }
}

/// The places to look in.
#[derive(Debug)]
pub(crate) struct Places {
    chosen: Option<PathBuf>,
    path: OsString,
    root: PathBuf,
}

impl Places {
    pub(crate) fn of_this_machine() -> Places {
        Places {
            chosen: env::var_os("DJOB_TEST_MARIADBD").filter(|file| !file.is_empty()).map(PathBuf::from),
            path: env::var_os("PATH").unwrap_or_default(),
            root: "/".into(),
        }
    }

    /// A chosen server is the only one looked for: another version than the chosen one would be a surprise.
    pub(crate) fn find(&self) -> Result<Installed, Missing> {
        let found = match &self.chosen {
            Some(server) => Installed::of(server),
            None => self.candidates().find_map(|server| Installed::of(&server)),
        };
        found.ok_or_else(|| self.missing())
    }

    fn candidates(&self) -> impl Iterator<Item = PathBuf> {
        let on_path = env::split_paths(&self.path).map(|folder| folder.join("mariadbd"));
        let in_prefix = |prefix: &&str| {
            PROGRAMS.iter().map(|program| self.root.join(prefix).join(program)).collect::<Vec<_>>()
        };
        on_path.chain(PREFIXES.iter().flat_map(in_prefix)).collect::<Vec<_>>().into_iter()
    }

    fn missing(&self) -> Missing {
        let looked_in = match &self.chosen {
            Some(server) => format!("{} (DJOB_TEST_MARIADBD)", server.display()),
            None => "PATH, /usr/sbin, /usr/libexec, Homebrew's opt/mariadb".into(),
        };
        Missing { programs: "MariaDB's server mariadbd, with its SQL files", looked_in, advice: ADVICE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    fn machine() -> (Folder, Places) {
        let root = Folder::create(&env::temp_dir(), "djob-root").unwrap();
        let places = Places { chosen: None, path: root.path().join("path").into(), root: root.path().into() };
        (root, places)
    }

    fn install(root: &Folder, server: &str, files: &str) -> PathBuf {
        let (server, files) = (root.path().join(server), root.path().join(files));
        fs::create_dir_all(server.parent().unwrap()).unwrap();
        fs::create_dir_all(&files).unwrap();
        fs::write(&server, "").unwrap();
        fs::write(files.join("mysql_system_tables.sql"), "").unwrap();
        fs::canonicalize(server).unwrap()
    }

    #[test]
    fn the_server_is_found_with_its_files_where_distributions_put_them() {
        for (server, files) in [
            ("usr/sbin/mariadbd", "usr/share/mysql"),
            ("usr/libexec/mariadbd", "usr/share/mariadb"),
            ("opt/homebrew/opt/mariadb/bin/mariadbd", "opt/homebrew/opt/mariadb/share/mysql"),
        ] {
            let (root, places) = machine();
            let installed = install(&root, server, files);
            assert_eq!(places.find().unwrap().server(), installed);
        }
    }

    #[test]
    fn a_server_without_its_files_does_not_count() {
        let (root, places) = machine();
        install(&root, "usr/sbin/mariadbd", "elsewhere");
        let message = places.find().unwrap_err().to_string();
        for part in ["mariadbd", "/usr/sbin", "apt-get install mariadb-server-core", "dnf", "brew"] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }

    #[test]
    fn a_chosen_server_is_the_only_one() {
        let (root, mut places) = machine();
        install(&root, "usr/sbin/mariadbd", "usr/share/mysql");
        let chosen = install(&root, "chosen/bin/mariadbd", "chosen/share/mysql");
        places.chosen = Some(chosen.clone());
        assert_eq!(places.find().unwrap().server(), chosen);
        places.chosen = Some("/nowhere".into());
        let message = places.find().unwrap_err().to_string();
        assert!(message.contains("looked in /nowhere (DJOB_TEST_MARIADBD)"), "{message}");
    }
}
