//! djob's own types in the databases' columns.

use crate::clock::Timestamp;
use crate::job::JobId;

/// A type that is stored as another one.
#[allow(unused_macros)] // without any database there is nothing to store
macro_rules! stored_as {
    ($ours:ty, $theirs:ty, $database:ty, $to:expr, $from:expr) => {
        impl sqlx::Type<$database> for $ours {
            fn type_info() -> <$database as sqlx::Database>::TypeInfo {
                <$theirs as sqlx::Type<$database>>::type_info()
            }
            fn compatible(other: &<$database as sqlx::Database>::TypeInfo) -> bool {
                <$theirs as sqlx::Type<$database>>::compatible(other)
            }
        }
        impl sqlx::Encode<'_, $database> for $ours {
            fn encode_by_ref(
                &self,
                buffer: &mut <$database as sqlx::Database>::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                let theirs: $theirs = $to(*self);
                <$theirs as sqlx::Encode<$database>>::encode_by_ref(&theirs, buffer)
            }
        }
        impl sqlx::Decode<'_, $database> for $ours {
            fn decode(
                value: <$database as sqlx::Database>::ValueRef<'_>,
            ) -> Result<Self, sqlx::error::BoxDynError> {
                Ok($from(<$theirs as sqlx::Decode<$database>>::decode(value)?))
            }
        }
    };
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    stored_as!(Timestamp, i64, sqlx::Sqlite, Timestamp::as_micros, Timestamp::from_micros);
    stored_as!(JobId, uuid::Uuid, sqlx::Sqlite, |id: JobId| id.0, JobId);
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use chrono::{DateTime, Utc};
    use sqlx::postgres::{PgHasArrayType, PgTypeInfo};

    stored_as!(Timestamp, DateTime<Utc>, sqlx::Postgres, Timestamp::to_datetime, Timestamp::from);
    stored_as!(JobId, uuid::Uuid, sqlx::Postgres, |id: JobId| id.0, JobId);

    impl PgHasArrayType for Timestamp {
        fn array_type_info() -> PgTypeInfo {
            <DateTime<Utc> as PgHasArrayType>::array_type_info()
        }
    }

    impl PgHasArrayType for JobId {
        fn array_type_info() -> PgTypeInfo {
            <uuid::Uuid as PgHasArrayType>::array_type_info()
        }
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use super::*;
    stored_as!(Timestamp, i64, sqlx::MySql, Timestamp::as_micros, Timestamp::from_micros);
    stored_as!(JobId, uuid::Uuid, sqlx::MySql, |id: JobId| id.0, JobId);
}
