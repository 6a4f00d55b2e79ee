//! The application: what a user's `main` builds and runs.

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;

use clap::Parser as _;
use djob::{Attempted, BoxFuture, ClientBuilder, Hooks, JobContext, Layer, Next, State, Worker};

use crate::args::{Cli, Command};
use crate::commands;
use crate::connect::Database;
use crate::exit::{self, Exit, Failure};
use crate::log;
use crate::output::Output;

/// All commands of djob, with the jobs that are linked into this program.
///
/// ```no_run
/// struct Mailer;
///
/// #[tokio::main]
/// async fn main() -> std::process::ExitCode {
///     djob_cli::App::new().state(Mailer).run().await
/// }
/// ```
#[derive(Default)]
#[must_use = "an application does nothing until it is run"]
pub struct App {
    client: ClientBuilder,
    crew: Crew,
}

/// What a worker is given before it starts.
#[derive(Default)]
pub(crate) struct Crew {
    state: State,
    layers: Vec<Shell>,
}

/// A layer whose type is forgotten.
struct Shell(Box<dyn Layer>);

impl Layer for Shell {
    fn attempt(&self, ctx: JobContext, next: Next) -> BoxFuture<'static, Attempted> {
        self.0.attempt(ctx, next)
    }
}

impl Crew {
    /// Gives it all to a worker.
    pub(crate) fn equip(self, worker: Worker) -> Worker {
        self.layers.into_iter().fold(worker.states(self.state), Worker::layer)
    }
}

impl App {
    /// An application without state, hooks and layers.
    pub fn new() -> Self {
        App::default()
    }

    /// Lends this to the jobs, as `#[state]`; one value of each type.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.crew.state = self.crew.state.with(value);
        self
    }

    /// Calls these hooks around every attempt, and for every job that a job enqueues.
    ///
    /// ```
    /// #[derive(Debug)]
    /// struct Report;
    ///
    /// impl djob::Hooks for Report {
    ///     fn failure(&self, ctx: &djob::JobContext, error: &str) {
    ///         eprintln!("{} {} failed: {error}", ctx.kind(), ctx.id());
    ///     }
    /// }
    ///
    /// let app = djob_cli::App::new().hooks(Report);
    /// ```
    pub fn hooks(mut self, hooks: impl Hooks) -> Self {
        self.client = self.client.hooks(hooks);
        self
    }

    /// Puts this code around every attempt; the first one given is outermost.
    ///
    /// ```
    /// use djob::{Attempted, JobContext, Next};
    ///
    /// async fn logged(ctx: JobContext, next: Next) -> Attempted {
    ///     println!("{} begins", ctx.kind());
    ///     next.run(&ctx).await
    /// }
    ///
    /// let app = djob_cli::App::new().layer(logged);
    /// ```
    pub fn layer(mut self, layer: impl Layer) -> Self {
        self.crew.layers.push(Shell(Box::new(layer)));
        self
    }

    /// Does what the command line of this process says.
    pub async fn run(self) -> ExitCode {
        self.run_from(std::env::args_os()).await.into()
    }

    /// Does what these arguments say, the first of which is the program's name; for tests.
    ///
    /// ```
    /// use djob_cli::{App, Exit};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(App::new().run_from(["app", "db", "sql", "sqlite"]).await, Exit::Done);
    /// assert_eq!(App::new().run_from(["app", "dance"]).await, Exit::Usage);
    /// # }
    /// ```
    pub async fn run_from<T: Into<OsString>>(self, args: impl IntoIterator<Item = T>) -> Exit {
        let cli = match Cli::try_parse_from(args.into_iter().map(Into::into)) {
            Ok(cli) => cli,
            Err(error) => return exit::usage(&error),
        };
        match self.obey(cli).await {
            Ok(()) => Exit::Done,
            Err(failure) => failure.report(),
        }
    }

    async fn obey(self, cli: Cli) -> Result<(), Failure> {
        log::start(matches!(cli.command, Command::Work(_) | Command::Workoff(_)))?;
        let output = Output::new(cli.common.output);
        let database = Database::new(self.client, cli.common);
        match cli.command {
            Command::Work(args) => commands::work::run(database, self.crew, args).await,
            Command::Workoff(args) => commands::work::run(database, self.crew, args.until_done()).await,
            Command::Jobs(command) => commands::jobs::run(database, output, command).await,
            Command::Clear(args) => commands::clear::run(database, output, args).await,
            Command::Check(args) => commands::check::run(database, output, args).await,
            Command::Doctor(args) => commands::doctor::run(database, output, args).await,
            Command::Enqueue(args) => commands::enqueue::run(database, output, args).await,
            Command::Kinds(command) => commands::kinds::run(database, output, command).await,
            Command::Contract(command) => commands::contract::run(database, output, command).await,
            Command::Stats => commands::stats::run(database, output).await,
            Command::Db(command) => commands::db::run(database, output, command).await,
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers = self.crew.layers.len();
        f.debug_struct("App")
            .field("client", &self.client)
            .field("state", &self.crew.state)
            .field("layers", &layers)
            .finish()
    }
}
