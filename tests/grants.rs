//! The rights that the book's page on databases lists are enough, and what it does not list is refused.

use std::str::FromStr as _;

use djob::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use djob::sqlx::{self, AssertSqlSafe, Connection as _, Executor as _};
use djob::{Client, JobState, Worker, job};
use djob_servers::{Durability, MariaDb};

use crate::common::{self, tally};

#[job(unique = |job| job.number.to_string(), keep = "1h")]
async fn only_once(number: u64) {
    let _ = number;
}

/// The two statements of the page that begin with `grant` and end like this.
fn grants(ending: &str) -> [&'static str; 2] {
    let page = include_str!("../book/src/databases.md");
    let grants = page.lines().filter(|line| line.starts_with("grant ") && line.ends_with(ending));
    let grants: Vec<&str> = grants.collect();
    grants.as_slice().try_into().unwrap_or_else(|_| panic!("{grants:?}"))
}

#[tokio::test]
async fn on_postgres_a_role_that_only_enqueues_needs_what_the_book_lists_and_may_not_look() {
    let database = common::postgres().await;
    let role = format!("web_{}", database.url.split(['/', '?']).nth(3).unwrap());
    let mut owner = sqlx::PgConnection::connect(&database.url).await.unwrap();
    owner.execute(AssertSqlSafe(format!("create role {role} login"))).await.unwrap();
    let options = PgConnectOptions::from_str(&database.url).unwrap().username(&role);
    let pool = PgPoolOptions::new().connect_lazy_with(options);
    let web = Client::builder().postgres(pool).await.unwrap();
    let refused = tally.perform_later(1, 0).on(&web).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");

    for statement in grants(" to web;") {
        let statement = statement.replace(" to web;", &format!(" to {role}"));
        owner.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    tally.perform_later(1, 0).on(&web).await.unwrap();
    let first = only_once.perform_later(1).on(&web).await.unwrap();
    let again = only_once.perform_later(1).on(&web).await.unwrap();
    assert_eq!(first.id(), again.id());
    let hidden = web.find(first.id()).await.unwrap_err();
    assert!(hidden.to_string().contains("permission denied"), "{hidden}");
}

#[tokio::test]
async fn on_mysql_those_who_migrate_and_those_who_work_need_what_the_book_lists() {
    let server = MariaDb::start(Durability::Off).unwrap();
    let mut admin = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
    for statement in ["create database app", "create user deploy@localhost", "create user app@localhost"] {
        admin.execute(statement).await.unwrap();
    }
    for statement in grants("@localhost;") {
        admin.execute(statement).await.unwrap();
    }
    let url = |user: &str| server.url_for("app").replacen("root@", &format!("{user}@"), 1);
    djob::connect(&url("deploy")).await.unwrap().migrate().await.unwrap();

    let client = djob::connect(&url("app")).await.unwrap();
    let job = only_once.perform_later(1).on(&client).await.unwrap();
    Worker::new(&client).only([only_once.def()]).work_off().await.unwrap();
    assert_eq!(client.find(job.id()).await.unwrap().unwrap().state, JobState::Completed);
}
