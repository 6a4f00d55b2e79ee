//! A statement on its way to a database, with its arguments.
//!
//! Statements number their parameters (`$1`), and may name one twice. MySQL knows only `?`, one for each place; there the
//! arguments are given again in the order of the places.

use std::sync::Arc;

use sqlx::database::HasStatementCache;
use sqlx::query::Query;
use sqlx::{Arguments as _, Database, Encode, Executor, IntoArguments, SqlStr, Type};

use super::StorageError;

/// The text of a statement, as one database takes it.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) sql: SqlStr,
    /// The number of the argument in each place, where that is not the place itself.
    pub(crate) places: Option<Arc<[usize]>>,
    /// Whether the session keeps it prepared.
    pub(crate) kept: bool,
}

type Argument<'q, D> =
    Box<dyn Fn(&mut <D as Database>::Arguments) -> Result<(), sqlx::error::BoxDynError> + Send + 'q>;

/// A statement and its arguments.
pub(crate) struct Ask<'q, D: Database> {
    text: Text,
    arguments: Vec<Argument<'q, D>>,
}

impl<'q, D: Database> Ask<'q, D> {
    pub(crate) fn new(text: Text) -> Self {
        Ask { text, arguments: Vec::new() }
    }

    /// Gives the next argument.
    pub(crate) fn bind<T>(mut self, value: T) -> Self
    where
        T: Encode<'q, D> + Type<D> + Clone + Send + 'q,
    {
        self.arguments.push(Box::new(move |to| to.add(value.clone())));
        self
    }

    fn query(self) -> Result<Query<'static, D, D::Arguments>, StorageError>
    where
        D: HasStatementCache,
        D::Arguments: IntoArguments<D>,
    {
        let mut given = D::Arguments::default();
        let in_order: Vec<usize> = (1..=self.arguments.len()).collect();
        for place in self.text.places.as_deref().unwrap_or(&in_order) {
            let argument = self.arguments.get(place - 1);
            argument.map_or(Ok(()), |argument| argument(&mut given)).map_err(sqlx::Error::Encode)?;
        }
        Ok(sqlx::query_with(self.text.sql, given).persistent(self.text.kept))
    }
}

impl<D> Ask<'_, D>
where
    D: Database + HasStatementCache,
    D::Arguments: IntoArguments<D>,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
{
    pub(crate) async fn execute(self, conn: &mut D::Connection) -> Result<D::QueryResult, StorageError> {
        Ok(self.query()?.execute(conn).await?)
    }

    pub(crate) async fn fetch_all(self, conn: &mut D::Connection) -> Result<Vec<D::Row>, StorageError> {
        Ok(self.query()?.fetch_all(conn).await?)
    }

    pub(crate) async fn fetch_one(self, conn: &mut D::Connection) -> Result<D::Row, StorageError> {
        Ok(self.query()?.fetch_one(conn).await?)
    }

    pub(crate) async fn fetch_optional(
        self,
        conn: &mut D::Connection,
    ) -> Result<Option<D::Row>, StorageError> {
        Ok(self.query()?.fetch_optional(conn).await?)
    }
}
