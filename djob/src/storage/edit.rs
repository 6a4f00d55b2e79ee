//! Edit: a job that does not run gets other arguments. The same steps on every database, inside of a transaction.

use std::future::Future;

use sqlx::database::HasStatementCache;
use sqlx::{Database, Encode, Executor, IntoArguments, Type};

use super::columns::{ARGS_INLINE_MAX, Affected};
use super::rooms::lock;
use super::statement::Statement::{DELETE_FROM_ARGS, EDIT_PARKED, EDIT_WAITING, KEEP_ARGS};
use super::statement::Texts;
use super::verbs::{Now, Result, Verbs};
use crate::job::{JobId, JobState, Meta};

/// What a job is to have from now on.
#[derive(Clone, Debug)]
pub(super) struct Edited {
    pub(super) args: String,
    /// The version of these arguments.
    pub(super) version: u16,
}

pub(super) trait Edit: Verbs {
    /// `false` if there is no such waiting or parked job.
    fn edit(
        conn: &mut Self::Connection,
        texts: &Texts,
        now: Now,
        id: JobId,
        edited: Edited,
    ) -> impl Future<Output = Result<bool>> + Send;
}

impl<D> Edit for D
where
    D: Verbs + Database<QueryResult: Affected> + HasStatementCache,
    D::Arguments: IntoArguments<D>,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    for<'q> JobId: Encode<'q, D> + Type<D>,
    for<'q> Option<String>: Encode<'q, D> + Type<D>,
    for<'q> String: Encode<'q, D> + Type<D>,
    for<'q> i32: Encode<'q, D> + Type<D>,
{
    async fn edit(
        conn: &mut D::Connection,
        texts: &Texts,
        now: Now,
        id: JobId,
        edited: Edited,
    ) -> Result<bool> {
        lock::<D>(conn, texts, id).await?;
        let Some(row) = D::find(conn, texts, id, now).await? else { return Ok(false) };
        let Edited { args, version } = edited;
        let meta = Meta { version, ..row.meta }.to_json();
        let inline = Some(args.clone()).filter(|args| args.len() <= ARGS_INLINE_MAX);
        let ask = |statement| texts.ask::<D>(statement).bind(id).bind(inline.clone()).bind(meta.clone());
        let ask = match row.state {
            JobState::Ready | JobState::Scheduled => ask(EDIT_WAITING),
            JobState::Parked => ask(EDIT_PARKED).bind(i32::from(version)),
            _ => return Ok(false),
        };
        // It may have gone on its way meanwhile.
        if ask.execute(&mut *conn).await?.affected() == 0 {
            return Ok(false);
        }
        D::on_job_timeless(conn, texts, DELETE_FROM_ARGS, id).await?;
        if inline.is_none() {
            texts.ask::<D>(KEEP_ARGS).bind(id).bind(args).execute(conn).await?;
        }
        Ok(true)
    }
}
