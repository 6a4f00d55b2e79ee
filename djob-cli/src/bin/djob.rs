//! The program `djob`: every command for a database of jobs. Only `work` and `workoff` need a binary of your own.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    djob_cli::App::new().run().await
}
