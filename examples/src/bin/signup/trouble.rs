//! What a request may end in instead of what was asked for, as a page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use djob::{BoxError, EnqueueError, Fault};

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
    /// Arguments that a job does not take are the visitor's to mend; any other refusal is ours.
    pub(crate) fn refused(name: &str, email: &str, error: EnqueueError) -> Trouble {
        let EnqueueError::Args { error, .. } = error else { return error.into() };
        let faults = error.faults().iter().map(in_words).collect();
        Trouble::Invalid { name: name.into(), email: email.into(), faults }
    }
}

/// A fault names the argument and the rule, `/email: must be an e-mail address`, never what was typed.
fn in_words(fault: &Fault) -> String {
    fault.to_string().trim_start_matches('/').to_owned()
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
