//! What a request may end in instead of what was asked for, as a page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use djob::{ArgsError, EnqueueError, StorageError, sqlx};

use crate::pages;

pub(crate) enum Trouble {
    /// The form, to be filled in once more.
    Invalid { name: String, email: String, faults: Vec<String> },
    NotFound,
    /// Something of ours is broken: the visitor learns that, the log learns what.
    Broken(String),
}

impl Trouble {
    /// A fault says where it is and which rule it breaks: `/email`, `is not an e-mail address`.
    pub(crate) fn invalid(name: &str, email: &str, error: &ArgsError) -> Trouble {
        let words = error.faults().iter().map(|fault| format!("The {} {}.", &fault.pointer[1..], fault.message));
        Trouble::Invalid { name: name.into(), email: email.into(), faults: words.collect() }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        match self {
            Trouble::Invalid { name, email, faults } => {
                (StatusCode::UNPROCESSABLE_ENTITY, pages::form_again(&name, &email, &faults)).into_response()
            }
            Trouble::NotFound => {
                (StatusCode::NOT_FOUND, pages::notice("Not here", "There is no such page.")).into_response()
            }
            Trouble::Broken(why) => {
                eprintln!("signup: {why}");
                let page = pages::notice("Sorry", "Something is broken on our side. Nothing was stored.");
                (StatusCode::INTERNAL_SERVER_ERROR, page).into_response()
            }
        }
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Trouble {
        Trouble::Broken(error.to_string())
    }
}

impl From<EnqueueError> for Trouble {
    fn from(error: EnqueueError) -> Trouble {
        Trouble::Broken(error.to_string())
    }
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Trouble {
        Trouble::Broken(error.to_string())
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble::Broken(error.to_string())
    }
}
