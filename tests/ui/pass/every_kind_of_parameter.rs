//! Context, state, and arguments that are owned, borrowed, validated, defaulted and documented.

use std::collections::BTreeMap;
use std::sync::Arc;

use djob::{Job as _, JobContext, job};

type Context = JobContext;

pub struct Mailer;
pub trait Clock: Send + Sync {}

/// Send the welcome mail.
///
/// The second paragraph stays with the handle.
#[job(queue = "mail", retries = 5, priority = 10, timeout = "30s", keep = "7d")]
#[allow(clippy::too_many_arguments)]
pub async fn send_welcome(
    ctx: &JobContext,
    /// Documented, though not stored.
    #[state]
    mailer: &Mailer,
    #[state] clock: &Arc<dyn Clock>,
    /// The new user.
    user_id: i64,
    #[validate(email)] email: &str,
    tags: &[String],
    #[validate(length(min = 2, max = 5))]
    #[serde(default)]
    locale: Option<String>,
    #[validate(range(min = 1))] mut count: u32,
    #[validate(url)] link: Option<String>,
    _unused: BTreeMap<String, (u8, bool)>,
) -> Result<usize, std::io::Error> {
    let _ = (ctx, mailer, clock, user_id, link);
    count += 1;
    Ok(email.len() + tags.len() + locale.map_or(0, |text| text.len()) + count as usize)
}

/// Found by its mark, since its type has another name.
#[job]
pub async fn marked(#[ctx] ctx: &Context) {
    let _ = ctx;
}

/// No argument at all.
#[job]
pub async fn nothing() {}

async fn callers(ctx: &JobContext, mailer: &Mailer, clock: &Arc<dyn Clock>) -> Result<(), djob::JobError> {
    let tags = ["new".to_owned()];
    let _ = send_welcome.perform_later(7, "ada@example.org", &tags, None, 1, None, BTreeMap::new());
    let _: Result<usize, _> =
        send_welcome.perform_now(ctx, 7, "ada@example.org", &tags, None, 1, None, BTreeMap::new()).await?;
    let _: Result<usize, _> = send_welcome
        .call(ctx, mailer, clock, 7, "ada@example.org", &tags, None, 1, None, BTreeMap::new())
        .await;
    let stored = SendWelcomeJob {
        user_id: 7,
        email: "ada@example.org".to_owned(),
        tags: tags.to_vec(),
        locale: None,
        count: 1,
        link: None,
        unused: BTreeMap::new(),
    };
    assert_eq!(stored.queue(), "mail");
    assert_eq!(stored.priority(), 10);
    let _ = stored.perform_later();
    NothingJob {}.perform_now(ctx).await?;
    let _ = nothing.perform_later();
    marked.perform_now(ctx).await
}

fn main() {
    let _ = callers;
    let def = send_welcome.def();
    assert_eq!((def.kind, def.queue, def.retries, def.priority), ("send_welcome", "mail", 5, 10));
    assert!(!def.blocking && !def.strict && !def.transactional);
    assert_eq!(def.needs.len(), 2);
    let schema = format!("{:?}", (def.schema)());
    assert!(schema.contains("The new user."), "{schema}");
    assert_eq!(nothing.def().retries, 24);
}
