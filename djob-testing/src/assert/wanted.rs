//! Which job is wanted, and in what a row differs from it.

use std::time::Duration;

use djob::{Job, JobRow, JobState, Timestamp};
use serde_json::Value;

/// A job that is looked for. [`assert_enqueued!`](crate::assert_enqueued) writes it.
///
/// ```
/// use djob_testing::assert::Wanted;
///
/// #[djob::job]
/// async fn thank(name: &str) {}
///
/// let wanted = Wanted::exactly(&ThankJob { name: "Ada".into() }).queue("mail").count(2);
/// # let _ = wanted;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Wanted {
    kind: &'static str,
    args: Args,
    queue: Option<String>,
    priority: Option<i16>,
    within: Option<Duration>,
    count: Option<usize>,
}

#[derive(Clone, Debug)]
enum Args {
    Exactly(Value),
    With(Value),
    Any,
}

/// A place where a row differs: the field, and what was wanted there.
pub(super) struct FieldFault {
    pub(super) field: String,
    pub(super) wanted: String,
}

impl Wanted {
    fn of<J: Job>(args: Args) -> Self {
        Wanted { kind: J::DEF.kind, args, queue: None, priority: None, within: None, count: None }
    }

    /// With these arguments and no others.
    ///
    /// # Panics
    /// If the arguments cannot be written as JSON.
    pub fn exactly<J: Job>(job: &J) -> Self {
        let args = serde_json::to_value(job);
        Wanted::of::<J>(Args::Exactly(args.unwrap_or_else(|error| panic!("{}: {error}", J::DEF.kind))))
    }

    /// With these arguments among its own. An object within them is compared in the same way.
    pub fn with<J: Job>(args: Value) -> Self {
        Wanted::of::<J>(Args::With(args))
    }

    /// With any arguments.
    pub fn any<J: Job>() -> Self {
        Wanted::of::<J>(Args::Any)
    }

    /// In this queue.
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// With this priority.
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Due now or within this time.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = Some(time);
        self
    }

    /// So many of them, no more and no fewer.
    pub fn count(mut self, count: usize) -> Self {
        self.count = Some(count);
        self
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn counted(&self) -> Option<usize> {
        self.count
    }

    /// The wanted fields, as the report shows them. Arguments are named by JSON pointers, as everywhere in djob.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let mut fields = vec![];
        fields.extend(self.queue.iter().map(|queue| ("queue".to_owned(), queue.clone())));
        fields.extend(self.priority.iter().map(|priority| ("priority".to_owned(), priority.to_string())));
        fields.extend(self.within.iter().map(|within| ("due".to_owned(), format!("within {within:?}"))));
        if let Args::Exactly(args) | Args::With(args) = &self.args {
            flatten("", args, &mut fields);
        }
        fields
    }

    /// In what a row differs: nowhere if it is the job.
    pub(super) fn faults(&self, row: &JobRow, now: Timestamp) -> Vec<FieldFault> {
        let mut faults = vec![];
        let mut fault =
            |field: &str, wanted: String| faults.push(FieldFault { field: field.to_owned(), wanted });
        if !matches!(row.state, JobState::Ready | JobState::Scheduled) {
            fault("state", "ready or scheduled".to_owned());
        }
        if let Some(queue) = self.queue.as_ref().filter(|queue| **queue != row.queue) {
            fault("queue", queue.clone());
        }
        if let Some(priority) = self.priority.filter(|priority| *priority != row.priority) {
            fault("priority", priority.to_string());
        }
        if let Some(within) = self.within.filter(|within| row.run_at - now > *within) {
            fault("due", format!("within {within:?}"));
        }
        let args = parse(&row.args);
        match &self.args {
            Args::Exactly(wanted) => differ("", wanted, &args, true, &mut faults),
            Args::With(wanted) => differ("", wanted, &args, false, &mut faults),
            Args::Any => {}
        }
        faults
    }
}

/// Arguments as JSON; what is none is shown as the text it is.
pub(super) fn parse(args: &str) -> Value {
    serde_json::from_str(args).unwrap_or_else(|_| Value::String(args.to_owned()))
}

/// Every leaf of a value, with its pointer.
pub(super) fn flatten(pointer: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() || pointer.is_empty() => {
            fields.iter().for_each(|(name, value)| flatten(&format!("{pointer}/{name}"), value, into));
        }
        _ => into.push((pointer.to_owned(), value.to_string())),
    }
}

/// Where two values differ. Whatever only `found` has is a difference if `exact`.
fn differ(pointer: &str, wanted: &Value, found: &Value, exact: bool, faults: &mut Vec<FieldFault>) {
    let mut fault =
        |pointer: &str, wanted: String| faults.push(FieldFault { field: pointer.to_owned(), wanted });
    let (Value::Object(wanted), Value::Object(found)) = (wanted, found) else {
        if wanted != found {
            fault(pointer, wanted.to_string());
        }
        return;
    };
    for name in found.keys().filter(|name| exact && !wanted.contains_key(*name)) {
        fault(&format!("{pointer}/{name}"), "nothing".to_owned());
    }
    for (name, wanted) in wanted {
        let pointer = format!("{pointer}/{name}");
        match found.get(name) {
            Some(found) => differ(&pointer, wanted, found, exact, faults),
            None => faults.push(FieldFault { field: pointer, wanted: wanted.to_string() }),
        }
    }
}
