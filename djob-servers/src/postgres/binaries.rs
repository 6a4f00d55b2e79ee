//! Where PostgreSQL's programs are: each distribution has its own idea.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Missing;

/// Folders of versions, and what stands before the version in their names: Debian, Red Hat, Homebrew.
const VERSIONED: &[(&str, &str)] = &[
    ("usr/lib/postgresql", ""),
    ("usr", "pgsql-"),
    ("opt/homebrew/opt", "postgresql@"),
    ("usr/local/opt", "postgresql@"),
    ("home/linuxbrew/.linuxbrew/opt", "postgresql@"),
];

const EVERYWHERE: &str = "PATH, /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, Homebrew's opt/postgresql@*/bin";

const ADVICE: &str = "  \
  Debian, Ubuntu: apt-get install postgresql
  Fedora:         dnf install postgresql-server
  macOS:          brew install postgresql
  or set DJOB_TEST_PG_BIN to the folder of initdb, or DJOB_TEST_POSTGRES_URL to a throw-away server";

/// The programs of a PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// The folder that holds them.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program that makes the data of a server.
    pub fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    /// The server.
    pub fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    fn in_folder(folder: &Path) -> Option<Binaries> {
        let binaries = Binaries { folder: folder.to_owned() };
        (binaries.initdb().is_file() && binaries.postgres().is_file()).then_some(binaries)
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
            chosen: env::var_os("DJOB_TEST_PG_BIN").filter(|folder| !folder.is_empty()).map(PathBuf::from),
            path: env::var_os("PATH").unwrap_or_default(),
            root: "/".into(),
        }
    }

    /// A chosen folder is the only one looked in: another version than the chosen one would be a surprise.
    pub(crate) fn find(&self) -> Result<Binaries, Missing> {
        let found = match &self.chosen {
            Some(folder) => Binaries::in_folder(folder),
            None => self.on_path().or_else(|| self.versioned()),
        };
        found.ok_or_else(|| self.missing())
    }

    /// The real file's folder comes first: a link or a wrapper on `PATH` may have no `postgres` beside it.
    fn on_path(&self) -> Option<Binaries> {
        env::split_paths(&self.path).find_map(|folder| {
            let initdb = fs::canonicalize(folder.join("initdb")).ok()?;
            initdb.parent().and_then(Binaries::in_folder).or_else(|| Binaries::in_folder(&folder))
        })
    }

    fn versioned(&self) -> Option<Binaries> {
        let all = VERSIONED.iter().flat_map(|(parent, prefix)| versions_in(&self.root.join(parent), prefix));
        all.max_by(|one, other| one.0.cmp(&other.0)).map(|(_, binaries)| binaries)
    }

    fn missing(&self) -> Missing {
        let looked_in = match &self.chosen {
            Some(folder) => format!("{} (DJOB_TEST_PG_BIN)", folder.display()),
            None => EVERYWHERE.into(),
        };
        Missing { programs: "PostgreSQL's server programs initdb and postgres", looked_in, advice: ADVICE }
    }
}

/// The versions below `parent`, such as `[9, 6]` or `[15]`, with their programs.
fn versions_in(parent: &Path, prefix: &str) -> Vec<(Vec<u32>, Binaries)> {
    let version = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let numbers = name.strip_prefix(prefix)?.split('.').map(|number| number.parse().ok());
        Some((numbers.collect::<Option<_>>()?, Binaries::in_folder(&entry.path().join("bin"))?))
    };
    fs::read_dir(parent).into_iter().flatten().flatten().filter_map(version).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use std::os::unix::fs::symlink;

    /// A machine that has nothing but what a test puts there.
    fn machine() -> (Folder, Places) {
        let root = Folder::create(&env::temp_dir(), "djob-root").unwrap();
        let places = Places { chosen: None, path: root.path().join("path").into(), root: root.path().into() };
        (root, places)
    }

    fn install(root: &Folder, folder: &str) -> Binaries {
        let folder = root.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("initdb"), "").unwrap();
        fs::write(folder.join("postgres"), "").unwrap();
        Binaries { folder }
    }

    #[test]
    fn the_highest_version_wins_by_number_wherever_it_is() {
        let (root, places) = machine();
        install(&root, "usr/lib/postgresql/9.6/bin");
        install(&root, "opt/homebrew/opt/postgresql@8/bin");
        fs::create_dir_all(root.path().join("usr/lib/postgresql/99/bin")).unwrap();
        let highest = install(&root, "usr/pgsql-10/bin");
        assert_eq!(places.find(), Ok(highest));
    }

    #[test]
    fn a_link_on_the_path_leads_to_its_siblings() {
        let (root, places) = machine();
        install(&root, "usr/lib/postgresql/17/bin");
        let real = install(&root, "elsewhere/bin");
        fs::create_dir(root.path().join("path")).unwrap();
        symlink(real.initdb(), root.path().join("path/initdb")).unwrap();
        assert_eq!(places.find().unwrap().folder(), fs::canonicalize(real.folder()).unwrap());
    }

    #[test]
    fn a_wrapper_on_the_path_counts_when_its_sibling_is_there() {
        let (root, places) = machine();
        fs::create_dir_all(root.path().join("wrapper")).unwrap();
        fs::write(root.path().join("wrapper/pg_wrapper"), "").unwrap();
        fs::create_dir(root.path().join("path")).unwrap();
        for name in ["initdb", "postgres"] {
            symlink(root.path().join("wrapper/pg_wrapper"), root.path().join("path").join(name)).unwrap();
        }
        assert_eq!(places.find().unwrap().folder(), root.path().join("path"));
    }

    #[test]
    fn a_chosen_folder_is_the_only_one() {
        let (root, mut places) = machine();
        install(&root, "path");
        let chosen = install(&root, "chosen");
        places.chosen = Some(chosen.folder().into());
        assert_eq!(places.find(), Ok(chosen));

        places.chosen = Some("/nowhere".into());
        let message = places.find().unwrap_err().to_string();
        assert!(message.contains("looked in /nowhere (DJOB_TEST_PG_BIN)"), "{message}");
    }

    #[test]
    fn what_is_missing_is_said_with_the_places_and_the_remedies() {
        let (_root, places) = machine();
        let message = places.find().unwrap_err().to_string();
        for part in ["initdb", "/usr/lib/postgresql/*/bin", "apt-get install postgresql", "dnf", "brew"] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
}
