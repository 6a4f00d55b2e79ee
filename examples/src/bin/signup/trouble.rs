//! What a request may end in instead of what was asked for, as a page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use djob::{ArgsError, BoxError};

use crate::pages;

pub(crate) enum Trouble {
    /// The form, to be filled in once more.
    Invalid {
        name: String,
        email: String,
        faults: Vec<String>,
    },
    NotFound,
    /// Something of ours is broken: the visitor learns that, the log learns what.
    Broken(BoxError),
}

impl Trouble {
    /// A fault names the argument and the rule, `/email: must be an e-mail address`, never what was typed.
    pub(crate) fn invalid(name: &str, email: &str, error: &ArgsError) -> Trouble {
        let faults = error.faults().iter().map(|fault| fault.to_string().trim_start_matches('/').to_owned());
        Trouble::Invalid { name: name.into(), email: email.into(), faults: faults.collect() }
    }
}

/// Lets `?` turn any error into a page.
impl<E: Into<BoxError>> From<E> for Trouble {
    fn from(error: E) -> Trouble {
        Trouble::Broken(error.into())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, page) = match self {
            Trouble::Invalid { name, email, faults } => {
                (StatusCode::UNPROCESSABLE_ENTITY, pages::form_again(&name, &email, &faults))
            }
            Trouble::NotFound => (StatusCode::NOT_FOUND, pages::notice("Not here", "There is no such page.")),
            Trouble::Broken(error) => {
                eprintln!("signup: {error}");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    pages::notice("Sorry", "Something is broken on our side."),
                )
            }
        };
        (status, page).into_response()
    }
}
