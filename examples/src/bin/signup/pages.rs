//! The pages: plain HTML, and nothing to load beside it. Whatever a visitor typed passes [`escape`].

use axum::response::Html;
use djob::{JobRow, JobState};

use crate::database::User;
use crate::jobs::Report;

pub(crate) fn home(users: &[(User, Option<JobRow>)], today: i64) -> Html<String> {
    let form = form("", "");
    let rows: String = users.iter().map(|(user, welcome)| user_row(user, welcome.as_ref())).collect();
    let users = match rows.is_empty() {
        true => "<p>Nobody yet. Be the first.</p>".to_owned(),
        false => format!("<table><tr><th>Name<th>E-mail<th>Welcome mail</tr>{rows}</table>"),
    };
    let body = format!(
        "<h1>Sign up</h1>\
         <p class=lead>We send you a welcome mail. Signups today: {today}.</p>\
         {form}\
         <h2>Who is here</h2>\
         {users}\
         <h2>Report</h2>\
         <p>All users as a CSV file, built in the background.</p>\
         <form method=post action=/reports><button>Build a report</button></form>"
    );
    page("Sign up", &body)
}

pub(crate) fn form_again(name: &str, email: &str, faults: &[String]) -> Html<String> {
    let faults: String = faults.iter().map(|fault| format!("<li>{}", escape(fault))).collect();
    let form = form(name, email);
    let body = format!("<h1>Almost there</h1><ul class=faults>{faults}</ul>{form}<p><a href=/>Back</a></p>");
    page("Sign up", &body)
}

/// The page asks again every second until the job has come to its end.
pub(crate) fn report(id: i64, job: &JobRow) -> Html<String> {
    let again = if job.state.is_final() { "" } else { "<meta http-equiv=refresh content=1>" };
    let state = state(job);
    let outcome = outcome(id, job);
    let body = format!("{again}<h1>Report {id} {state}</h1><p>{outcome}<p><a href=/>Back</a></p>");
    page(&format!("Report {id}"), &body)
}

pub(crate) fn notice(title: &str, text: &str) -> Html<String> {
    page(title, &format!("<h1>{title}</h1><p>{text}</p><p><a href=/>Back</a></p>"))
}

fn outcome(id: i64, job: &JobRow) -> String {
    match (job.state, Report::of(job)) {
        (JobState::Completed, Some(Report { file, users })) => {
            let file = escape(&file);
            format!("{users} users.<p><a class=button href=/reports/{id}/download>Download {file}</a>")
        }
        (JobState::Failed, _) => "It could not be built. We are looking into it.".to_owned(),
        _ => "It is being built. This page shows it as soon as it is done.".to_owned(),
    }
}

fn form(name: &str, email: &str) -> String {
    let (name, email) = (escape(name), escape(email));
    format!(
        "<form class=signup method=post action=/signup>\
         <label>Name <input name=name value=\"{name}\" autocomplete=name required></label>\
         <label>E-mail <input name=email type=email value=\"{email}\" autocomplete=email required></label>\
         <button>Sign up</button>\
         </form>"
    )
}

fn user_row(user: &User, welcome: Option<&JobRow>) -> String {
    let state = welcome.map_or_else(String::new, state);
    format!("<tr><td>{}<td>{}<td>{state}</tr>", escape(&user.name), escape(&user.email))
}

fn state(job: &JobRow) -> String {
    let why = escape(job.error.as_deref().unwrap_or_default());
    format!("<span class=\"state {0}\" title=\"{why}\">{0}</span>", job.state)
}

fn page(title: &str, body: &str) -> Html<String> {
    let style = include_str!("pages.css");
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>{style}</style>{body}</html>"
    ))
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
