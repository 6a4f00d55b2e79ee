//! The witness: a trigger on the room of finished jobs, which writes down each job that comes in. It sees what no worker may
//! live to tell: that a job ended twice.

use djob::BoxError;

use super::Site;
use crate::args::Database;

impl Site {
    /// Calls it in, once the tables are there.
    pub(crate) async fn call_witness(&self) -> Result<(), BoxError> {
        let (id, trigger) = match self.kind {
            Database::Sqlite => (
                "blob",
                "create trigger witness after insert on djob_finished
                 begin insert into witnessed values (new.id); end",
            ),
            Database::Postgres => (
                "uuid",
                "create function witness() returns trigger language plpgsql
                 as 'begin insert into witnessed values (new.id); return null; end';
                 create trigger witness after insert on djob_finished for each row execute function witness()",
            ),
            Database::Mariadb => (
                "binary(16)",
                "create trigger witness after insert on djob_finished for each row
                 insert into witnessed values (new.id)",
            ),
        };
        let mut till = self.connect().await?;
        till.execute(&format!("create table witnessed (id {id} not null)")).await?;
        till.execute(trigger).await?;
        Ok(())
    }
}
