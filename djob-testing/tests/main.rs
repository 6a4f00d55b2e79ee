//! The harness, the assertions, the databases, and the conformance of djob's own storages.

#![allow(clippy::unwrap_used, reason = "what surrounds a test is a test too")]

mod assertions;
mod databases;
mod doctor;
mod harness;
mod promises;

use djob_testing::conformance::Subject;
use djob_testing::{TestDatabase, conformance, sql_conformance};

conformance!(sqlite_memory, || async { Subject::of(TestDatabase::sqlite_memory().await).await });
conformance!(sqlite_file, || async { Subject::of(TestDatabase::sqlite_file().await).await });
conformance!(postgres, || async { Subject::of(TestDatabase::postgres().await).await });
conformance!(pgbouncer, || async { Subject::of(TestDatabase::pgbouncer().await).await });
conformance!(mysql, || async { Subject::of(TestDatabase::mysql().await).await });

sql_conformance!(sqlite_memory_sql, TestDatabase::sqlite_memory);
sql_conformance!(sqlite_file_sql, TestDatabase::sqlite_file);
sql_conformance!(postgres_sql, TestDatabase::postgres);
sql_conformance!(pgbouncer_sql, TestDatabase::pgbouncer);
sql_conformance!(mysql_sql, TestDatabase::mysql);
