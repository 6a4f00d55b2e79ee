//! The lock file: the contracts of a program's jobs as they were when somebody last looked at them, kept beside the code.

use std::collections::BTreeMap;

use djob::{JobDef, Registry};
use serde_json::Value;

use crate::compare::{Change, Difference, Unknown, differences};

/// The newest form of the file that this version reads.
const FORM: u32 = 1;

/// The contracts of a program's jobs, by kind.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Lock {
    /// The form of the file.
    lock: u32,
    kinds: BTreeMap<String, Locked>,
}

/// What is kept of one kind.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Locked {
    /// The version of its arguments.
    pub version: u16,
    /// Its former names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Whether unknown arguments are refused when it runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// The type of its result, as its function names it.
    pub output: String,
    /// The JSON Schema of its arguments.
    pub schema: Value,
    /// The schemas of its older versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub older: BTreeMap<u16, Value>,
}

/// A file that is no lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLock(String);

impl std::fmt::Display for InvalidLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidLock {}

/// What a change of a contract asks for before it may be deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Compatibility {
    /// Nothing.
    Safe,
    /// A default for what must be there now: `#[serde(default)]`.
    NeedsDefault,
    /// A new version, and an upcaster from the one before.
    NeedsVersion,
    /// Jobs that wait are not read by the new code, whatever is done to their arguments.
    Breaking,
}

/// What has become of one kind.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Ruling {
    /// The kind.
    pub kind: String,
    /// What must be done before the change is deployed.
    pub compatibility: Compatibility,
    /// In a sentence, what has become of it; empty if nothing has.
    pub summary: String,
    /// What jobs that wait now lose: the new code would park them.
    pub waiting: Vec<Difference>,
    /// What new jobs lose on workers of the old code: they would park them.
    pub workers: Vec<Difference>,
    /// What callers who do not have the code are refused now and were not before.
    pub callers: Vec<Difference>,
}

impl Ruling {
    fn new(kind: &str, compatibility: Compatibility, summary: impl Into<String>) -> Self {
        let summary = summary.into();
        Ruling {
            kind: kind.to_owned(),
            compatibility,
            summary,
            waiting: vec![],
            workers: vec![],
            callers: vec![],
        }
    }

    /// Whether there is nothing to say.
    pub fn is_unchanged(&self) -> bool {
        self.compatibility == Compatibility::Safe
            && self.summary.is_empty()
            && self.workers.is_empty()
            && self.callers.is_empty()
    }
}

impl Lock {
    /// The contracts of these jobs; what `before` kept of older versions is kept.
    pub fn of(registry: &Registry, before: Option<&Lock>) -> Self {
        let lock = |def: &'static JobDef| {
            let known = before.and_then(|before| before.find(def));
            (def.kind.to_owned(), Locked::of(def, known))
        };
        Lock { lock: FORM, kinds: registry.kinds().map(lock).collect() }
    }

    /// Reads a lock file.
    ///
    /// # Errors
    /// If it is none, or a newer djob has written it.
    pub fn read(text: &str) -> Result<Self, InvalidLock> {
        let lock: Lock = serde_json::from_str(text)
            .map_err(|error| InvalidLock(format!("is no lock of djob's: {error}")))?;
        if lock.lock > FORM {
            return Err(InvalidLock(format!(
                "is of form {}, and this djob reads form {FORM}: use a newer one",
                lock.lock
            )));
        }
        Ok(lock)
    }

    /// The file's text: sorted and indented, so that a change of it can be read.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// What is kept, by kind.
    pub fn kinds(&self) -> &BTreeMap<String, Locked> {
        &self.kinds
    }

    /// What is kept of a job, under its name or a former one.
    fn find(&self, def: &JobDef) -> Option<&Locked> {
        std::iter::once(&def.kind).chain(def.aliases).find_map(|name| self.kinds.get(*name))
    }

    /// What has become of each kind in these jobs, sorted by name.
    pub fn check(&self, registry: &Registry) -> Vec<Ruling> {
        let locked = self.kinds.iter().map(|(kind, locked)| match registry.get(kind) {
            Some(def) => locked.check(kind, def),
            None => gone(kind),
        });
        let new = registry.kinds().filter(|def| self.find(def).is_none());
        let new = new.map(|def| Ruling::new(def.kind, Compatibility::Safe, "is new"));
        let mut rulings: Vec<Ruling> = locked.chain(new).collect();
        rulings.sort_by(|a, b| a.kind.cmp(&b.kind));
        rulings
    }
}

fn gone(kind: &str) -> Ruling {
    let summary = format!(
        "is gone: jobs that wait would be parked as unknown_kind; keep it, or give its successor `aliases = [\"{kind}\"]`"
    );
    Ruling::new(kind, Compatibility::Breaking, summary)
}

impl Locked {
    fn of(def: &JobDef, before: Option<&Locked>) -> Self {
        let mut older = before.map(|before| before.older.clone()).unwrap_or_default();
        older.extend(
            before
                .filter(|before| before.version < def.version)
                .map(|before| (before.version, before.schema.clone())),
        );
        Locked {
            version: def.version,
            aliases: def.aliases.iter().map(|name| (*name).to_owned()).collect(),
            strict: def.strict,
            output: def.output.to_owned(),
            schema: (def.schema)().to_value(),
            older,
        }
    }

    /// Compares what was kept with the code of today.
    fn check(&self, kind: &str, def: &JobDef) -> Ruling {
        let schema = (def.schema)().to_value();
        let mut ruling = match self.version.cmp(&def.version) {
            std::cmp::Ordering::Equal => self.same_version(kind, def, &schema),
            std::cmp::Ordering::Less => self.newer_version(kind, def),
            std::cmp::Ordering::Greater => Ruling::new(
                kind,
                Compatibility::Breaking,
                format!(
                    "went back from version {} to {}: jobs that wait would not be read",
                    self.version, def.version
                ),
            ),
        };
        ruling.callers = differences(&schema, &self.schema, Unknown::Refused);
        let mut notes = vec![ruling.summary.clone()];
        if def.kind != kind {
            notes.push(format!("is called {} now, and keeps this name as an alias", def.kind));
        }
        if self.output != def.output {
            notes.push(format!(
                "returns {} and returned {}: who waits for the result of a job that ran before cannot read it",
                def.output, self.output
            ));
        }
        notes.retain(|note| !note.is_empty());
        ruling.summary = notes.join("; ");
        ruling
    }

    fn same_version(&self, kind: &str, def: &JobDef, schema: &Value) -> Ruling {
        let unknown = |strict| if strict { Unknown::Refused } else { Unknown::Ignored };
        let waiting = differences(schema, &self.schema, unknown(def.strict));
        let workers = differences(&self.schema, schema, unknown(self.strict));
        let next = def.version + 1;
        let (compatibility, summary) = match &waiting[..] {
            [] if workers.is_empty() => (Compatibility::Safe, String::new()),
            [] => (
                Compatibility::NeedsVersion,
                format!(
                    "makes jobs that workers of the old code would park: make it `version = {next}`, which they leave to the new \
                     ones; what waits can be read as it is, `upcast = |old: ..Job| old`"
                ),
            ),
            all if all.iter().all(|found| found.change == Change::Required) => (
                Compatibility::NeedsDefault,
                "asks for more than jobs that wait have: give what is new a `#[serde(default)]`".to_owned(),
            ),
            _ => (
                Compatibility::NeedsVersion,
                format!("refuses what jobs that wait may have: make it `version = {next}`, with an upcaster"),
            ),
        };
        Ruling { waiting, workers, ..Ruling::new(kind, compatibility, summary) }
    }

    fn newer_version(&self, kind: &str, def: &JobDef) -> Ruling {
        let given_up: Vec<String> = (1..def.version)
            .filter(|version| *version == self.version || self.older.contains_key(version))
            .filter(|version| def.upcasts.get(usize::from(*version) - 1).is_none_or(Option::is_none))
            .map(|version| version.to_string())
            .collect();
        if given_up.is_empty() {
            let summary = format!("goes from version {} to {}, by its upcaster", self.version, def.version);
            return Ruling::new(kind, Compatibility::Safe, summary);
        }
        let summary = format!(
            "has no way from version {} to {}: jobs of it that wait would be parked as broken_contract",
            given_up.join(", "),
            def.version
        );
        Ruling::new(kind, Compatibility::Breaking, summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The jobs of a program before a change.
    mod before {
        use djob::job;

        #[job]
        async fn same(_n: u32) {}
        #[job]
        async fn asks_for_more(_n: u32) {}
        #[job]
        async fn asks_for_less(_n: u32, _m: u32) {}
        #[job]
        async fn takes_more(#[validate(range(max = 10))] _n: u32) {}
        #[job]
        async fn takes_less(_n: u64) {}
        #[job]
        async fn gains_a_default(_n: u32) {}
        #[job]
        async fn moves_on(_name: String) {}
        #[job]
        async fn gives_up(_name: String) {}
        #[job(version = 2, upcast = _)]
        async fn goes_back(_n: u32) {}
        #[job]
        async fn vanishes() {}
        #[job]
        async fn former_name() {}
        #[job]
        async fn returns_another_type() -> Result<u64, djob::BoxError> {
            Ok(7)
        }
        #[job]
        async fn becomes_strict(_n: u32, _m: u32) {}

        pub(super) fn all() -> Vec<&'static djob::JobDef> {
            vec![
                same.def(),
                asks_for_more.def(),
                asks_for_less.def(),
                takes_more.def(),
                takes_less.def(),
                gains_a_default.def(),
                moves_on.def(),
                gives_up.def(),
                goes_back.def(),
                vanishes.def(),
                former_name.def(),
                returns_another_type.def(),
                becomes_strict.def(),
            ]
        }
    }

    /// The same program after it.
    mod after {
        use djob::job;

        #[job]
        async fn same(_n: u32) {}
        #[job]
        async fn asks_for_more(_n: u32, _m: u32) {}
        #[job]
        async fn asks_for_less(_n: u32) {}
        #[job]
        async fn takes_more(#[validate(range(max = 11))] _n: u32) {}
        #[job]
        async fn takes_less(_n: u32) {}
        #[job]
        async fn gains_a_default(_n: u32, #[serde(default)] _m: u32) {}
        #[job(version = 2, upcast = |old: String| MovesOnJob { names: vec![old] })]
        async fn moves_on(_names: Vec<String>) {}
        #[job(version = 2, upcast = _)]
        async fn gives_up(_names: Vec<String>) {}
        #[job]
        async fn goes_back(_n: u32) {}
        #[job(name = "todays_name", aliases = ["former_name"])]
        async fn former_name() {}
        #[job]
        async fn returns_another_type() -> Result<String, djob::BoxError> {
            Ok("7".to_owned())
        }
        #[job(strict)]
        async fn becomes_strict(_n: u32) {}
        #[job]
        async fn appears() {}

        pub(super) fn all() -> Vec<&'static djob::JobDef> {
            vec![
                same.def(),
                asks_for_more.def(),
                asks_for_less.def(),
                takes_more.def(),
                takes_less.def(),
                gains_a_default.def(),
                moves_on.def(),
                gives_up.def(),
                goes_back.def(),
                former_name.def(),
                returns_another_type.def(),
                becomes_strict.def(),
                appears.def(),
            ]
        }
    }

    fn rulings() -> Vec<Ruling> {
        let before = Lock::of(&Registry::of(before::all()).unwrap(), None);
        // As it is kept: in a file.
        let before = Lock::read(&before.to_text()).unwrap();
        before.check(&Registry::of(after::all()).unwrap())
    }

    #[test]
    fn each_way_to_change_a_job_has_its_ruling() {
        use Compatibility::{Breaking, NeedsDefault, NeedsVersion, Safe};
        // The kind, what it needs, what is said of it, and whether what waits, what old workers get and what others send is lost.
        for (kind, needs, said, lost) in [
            ("same", Safe, "", [false, false, false]),
            ("asks_for_more", NeedsDefault, "`#[serde(default)]`", [true, false, true]),
            ("asks_for_less", NeedsVersion, "make it `version = 2`", [false, true, true]),
            ("takes_more", NeedsVersion, "make it `version = 2`", [false, true, false]),
            ("takes_less", NeedsVersion, "make it `version = 2`", [true, false, true]),
            ("gains_a_default", Safe, "", [false, false, false]),
            ("moves_on", Safe, "from version 1 to 2, by its upcaster", [false, false, true]),
            ("gives_up", Breaking, "no way from version 1 to 2", [false, false, true]),
            ("goes_back", Breaking, "went back from version 2 to 1", [false, false, false]),
            ("vanishes", Breaking, "`aliases = [\"vanishes\"]`", [false, false, false]),
            ("former_name", Safe, "is called todays_name now", [false, false, false]),
            ("returns_another_type", Safe, "returns String and returned u64", [false, false, false]),
            ("becomes_strict", NeedsVersion, "make it `version = 2`", [true, true, true]),
            ("appears", Safe, "is new", [false, false, false]),
        ] {
            let rulings = rulings();
            let ruling = rulings.iter().find(|ruling| ruling.kind == kind).unwrap();
            let found = [&ruling.waiting, &ruling.workers, &ruling.callers].map(|found| !found.is_empty());
            assert_eq!((ruling.compatibility, found), (needs, lost), "{ruling:#?}");
            assert!(ruling.summary.contains(said), "{ruling:#?}");
            assert_eq!(ruling.is_unchanged(), kind == "same" || kind == "gains_a_default", "{ruling:#?}");
        }
        assert_eq!(rulings().len(), 14);
    }

    #[test]
    fn a_lock_keeps_the_schemas_of_older_versions() {
        let before = Lock::of(&Registry::of(before::all()).unwrap(), None);
        let after = Lock::of(&Registry::of(after::all()).unwrap(), Some(&before));
        let kept = &after.kinds()["moves_on"];
        assert_eq!((kept.version, &kept.older[&1]), (2, &before.kinds()["moves_on"].schema));
        let again = Lock::of(&Registry::of(after::all()).unwrap(), Some(&after));
        assert_eq!(again, after, "to lock twice is to lock once");
    }

    #[test]
    fn what_is_no_lock_is_refused() {
        assert!(Lock::read("{}").unwrap_err().to_string().starts_with("is no lock of djob's: missing field"));
        let newer = Lock::read(r#"{"lock":99,"kinds":{}}"#).unwrap_err();
        assert_eq!(newer.to_string(), "is of form 99, and this djob reads form 1: use a newer one");
    }
}
