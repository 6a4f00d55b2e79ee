//! MariaDB: its settings, its sign of readiness, its addresses.

mod installed;

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::address::encode;
use crate::durability::Durability;
use crate::error::{Error, Missing};
use crate::recipe::{Facts, Recipe};
use crate::server::Server;

pub use installed::Installed;

const SOCKET: &str = "my.sock";

const FACTS: Facts =
    Facts { prefix: "djob-maria", users: &["mysql"], database: "mysql", stop: "TERM", crash: "KILL" };

const ALWAYS: &[&str] = &[
    "--skip-networking",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--performance-schema=off",
    "--max-connections=300",
    "--character-set-server=utf8mb4",
    "--innodb-file-per-table=on",
];
const ON: &[&str] = &["--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=256M"];
const OFF: &[&str] = &[
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--sync-frm=0",
    "--innodb-log-file-size=8M",
    "--innodb-buffer-pool-size=64M",
];

/// What `mariadb-install-db` does, without the client programs that it asks for. `$1` is the folder of the server's SQL
/// files, `$2` that of the data; what follows is the server and its arguments.
const INITIALISE: &str = r#"
set -e
sql=$1; mkdir "$2"; shift 2
{ printf 'create database mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n'
  cat "$sql/mysql_system_tables.sql" "$sql/mysql_performance_tables.sql" "$sql/mysql_system_tables_data.sql"
} | exec "$@" --bootstrap --log-warnings=0 --enforce-storage-engine= --max_allowed_packet=8M
"#;

/// MariaDB servers: where their programs are, and how to start one.
#[derive(Debug)]
pub struct MariaDb {
    installed: Installed,
    durability: Durability,
}

impl MariaDb {
    /// Finds the server: the file `DJOB_TEST_MARIADBD` if that is set; else `mariadbd` on `PATH`; else where
    /// distributions and Homebrew put it.
    ///
    /// # Errors
    ///
    /// [`Missing`] says where it was looked for and how to install it.
    ///
    /// ```no_run
    /// let installed = djob_servers::MariaDb::find()?;
    /// println!("{}", installed.server().display());
    /// # Ok::<(), djob_servers::Missing>(())
    /// ```
    pub fn find() -> Result<Installed, Missing> {
        installed::Places::of_this_machine().find()
    }

    /// Makes a server in a new folder and starts it; returns when it accepts connections, after about two seconds.
    ///
    /// Root gives the server to the user `mysql`, or else `nobody`. The database's user `root` needs no password:
    /// only the owner of the folder reaches the socket.
    ///
    /// # Errors
    ///
    /// When the server is missing, or fails: the error then carries the end of its log.
    ///
    /// ```no_run
    /// use djob_servers::{Durability, MariaDb};
    ///
    /// let server = MariaDb::start(Durability::Off)?;
    /// assert!(server.url().starts_with("mysql://root@localhost/mysql?socket="));
    /// # Ok::<(), djob_servers::Error>(())
    /// ```
    pub fn start(durability: Durability) -> Result<Server, Error> {
        let installed = MariaDb::find()?;
        Server::start(Box::new(MariaDb { installed, durability }))
    }

    /// The server and the arguments that it always gets.
    fn server(&self, folder: &Path) -> Vec<OsString> {
        let mut program: Vec<OsString> = vec![self.installed.server().into(), "--no-defaults".into()];
        program.push(with("--datadir=", &folder.join("data")));
        program.push(with("--tmpdir=", folder));
        program.push(with("--lc-messages-dir=", self.installed.files()));
        let settings = match self.durability {
            Durability::On => ON,
            Durability::Off => OFF,
        };
        program.extend(ALWAYS.iter().chain(settings).map(OsString::from));
        program
    }
}

fn with(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}

impl Recipe for MariaDb {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn initialise(&self, folder: &Path) -> Vec<OsString> {
        let mut program: Vec<OsString> = ["sh", "-c", INITIALISE, "sh"].map(OsString::from).into();
        program.extend([self.installed.files().into(), folder.join("data").into()]);
        program.extend(self.server(folder));
        program
    }

    fn serve(&self, folder: &Path) -> Vec<OsString> {
        let mut program = self.server(folder);
        program.push(with("--socket=", &folder.join(SOCKET)));
        program.push(with("--pid-file=", &folder.join("my.pid")));
        program
    }

    /// A server that accepts connections greets each of them.
    fn is_ready(&self, folder: &Path, _pid: u32) -> bool {
        let greeted = || {
            let mut stream = UnixStream::connect(folder.join(SOCKET))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.read_exact(&mut [0; 5])
        };
        greeted().is_ok()
    }

    fn url(&self, folder: &Path, database: &str) -> String {
        let database = encode(database.as_bytes());
        let socket = encode(folder.join(SOCKET).as_os_str().as_encoded_bytes());
        format!("mysql://root@localhost/{database}?socket={socket}")
    }
}
