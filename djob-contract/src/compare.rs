//! What the values of one schema lose on the way to another: the ways in which a value that fits the old one may not fit the
//! new one. It may see a difference where there is none, in what it does not understand; it never misses one.

use std::collections::HashSet;

use serde_json::Value;

use crate::pointer::below;
use crate::shape::{List, Object, Range, Shape, Shapes, Text};

/// One way in which what fits the old schema may not fit the new one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Difference {
    /// A JSON pointer to the argument; `*` stands for every item of a list. Empty for the arguments as a whole.
    pub pointer: String,
    /// What has become of it.
    pub change: Change,
    /// The same in words.
    pub message: String,
}

/// What has become of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// It was not there, or could be left out, and must be there now.
    Required,
    /// It is gone, and a value that has it is refused.
    Removed,
    /// Its type takes less than before.
    Narrowed,
    /// A value or a variant that it could have is gone.
    ValueGone,
    /// A rule about it has become tighter.
    Tightened,
    /// It has changed in a way that cannot be compared.
    Unclear,
}

/// What becomes of arguments that the new schema does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// They are ignored, as by a job that is not `strict`.
    Ignored,
    /// They are refused, as from a caller that does not have the code.
    Refused,
}

/// Every way in which what fits the `old` schema may not fit the `new` one; empty if all of it does.
///
/// ```
/// use djob_contract::{Change, Unknown, differences};
/// use serde_json::json;
///
/// let old = json!({"type": "object", "properties": {"to": {"type": "string"}}});
/// let new = json!({"type": "object", "properties": {"to": {"type": "string", "maxLength": 80}}, "required": ["to"]});
/// let found = differences(&new, &old, Unknown::Ignored);
/// let changes: Vec<_> = found.iter().map(|found| (found.pointer.as_str(), found.change)).collect();
/// assert_eq!(changes, [("/to", Change::Required), ("/to", Change::Tightened)]);
/// assert_eq!(found[1].message, "may have at most 80 characters now");
/// ```
pub fn differences(new: &Value, old: &Value, unknown: Unknown) -> Vec<Difference> {
    let (new, old) = (Shapes::of(new), Shapes::of(old));
    let mut comparison = Comparison { new: &new, old: &old, assumed: HashSet::new(), found: vec![] };
    match (new.resolve(&new.root), old.resolve(&old.root)) {
        (Shape::Object(n), Shape::Object(o)) => comparison.objects("", n, o, unknown),
        (n, o) => comparison.shapes("", n, o),
    }
    let mut found = comparison.found;
    found.sort();
    found.dedup();
    found
}

struct Comparison<'a> {
    new: &'a Shapes,
    old: &'a Shapes,
    /// Pairs of names that are being compared further out: what they contain of themselves holds if the rest does.
    assumed: HashSet<(String, String)>,
    found: Vec<Difference>,
}

impl Comparison<'_> {
    fn report(&mut self, at: &str, change: Change, message: impl Into<String>) {
        self.found.push(Difference { pointer: at.to_owned(), change, message: message.into() });
    }

    /// What would be found, without taking it up.
    fn trial(&mut self, at: &str, new: &Shape, old: &Shape) -> Vec<Difference> {
        let before = std::mem::take(&mut self.found);
        self.shapes(at, new, old);
        std::mem::replace(&mut self.found, before)
    }

    fn shapes(&mut self, at: &str, new: &Shape, old: &Shape) {
        if let (Shape::Named(n), Shape::Named(o)) = (new, old) {
            let pair = (n.clone(), o.clone());
            if !self.assumed.insert(pair.clone()) {
                return;
            }
            let (new, old) = (self.new.resolve(new), self.old.resolve(old));
            self.resolved(at, new, old);
            self.assumed.remove(&pair);
            return;
        }
        let (new, old) = (self.new.resolve(new), self.old.resolve(old));
        self.resolved(at, new, old);
    }

    fn resolved(&mut self, at: &str, new: &Shape, old: &Shape) {
        match (new, old) {
            (Shape::Any, _) | (_, Shape::Never) => {}
            (_, Shape::Union(forms)) => forms.iter().for_each(|form| self.shapes(at, new, form)),
            (Shape::Union(forms), _) => self.one_of(at, forms, old),
            (Shape::Null, Shape::Null) | (Shape::Bool, Shape::Bool) => {}
            (Shape::Const(n), Shape::Const(o)) if n == o => {}
            (_, Shape::Const(value)) => self.constant(at, new, value),
            (Shape::Integer(n), Shape::Integer(o))
            | (Shape::Number(n), Shape::Number(o) | Shape::Integer(o)) => {
                self.ranges(at, n, o);
            }
            (Shape::Text(n), Shape::Text(o)) => self.texts(at, n, o),
            (Shape::List(n), Shape::List(o)) => self.lists(at, n, o),
            (Shape::Object(n), Shape::Object(o)) => self.objects(at, n, o, Unknown::Refused),
            (Shape::Opaque(n), Shape::Opaque(o)) if n == o => {}
            (Shape::Opaque(_), _) | (_, Shape::Opaque(_) | Shape::Named(_)) | (Shape::Named(_), _) => {
                self.report(at, Change::Unclear, "has changed in a way that cannot be compared");
            }
            (new, old) => {
                let message = format!("is {} now and was {}", in_words(new), in_words(old));
                self.report(at, Change::Narrowed, message);
            }
        }
    }

    /// What is closest to the old form decides what is said.
    fn one_of(&mut self, at: &str, forms: &[Shape], old: &Shape) {
        let trials: Vec<_> = forms.iter().map(|form| (form, self.trial(at, form, old))).collect();
        let Some((form, found)) = trials.into_iter().min_by_key(|(form, found)| {
            (!found.is_empty(), !is_kin(self.new.resolve(form), old), found.len())
        }) else {
            return;
        };
        if found.is_empty() {
            return;
        }
        if is_kin(self.new.resolve(form), old) {
            self.found.extend(found);
            return;
        }
        let change = if matches!(old, Shape::Object(_)) { Change::ValueGone } else { Change::Narrowed };
        self.report(at, change, format!("does not take {} any more", in_words(old)));
    }

    fn constant(&mut self, at: &str, new: &Shape, value: &Value) {
        let taken = match (new, value) {
            (Shape::Null, Value::Null) | (Shape::Bool, Value::Bool(_)) => true,
            (Shape::Integer(range), Value::Number(number)) if number.is_i64() || number.is_u64() => {
                is_within(range, number.as_f64())
            }
            (Shape::Number(range), Value::Number(number)) => is_within(range, number.as_f64()),
            (Shape::Text(text), Value::String(value)) => {
                let length = value.chars().count() as u64;
                text.pattern.is_none() && text.format.is_none() && (text.min..=text.max).contains(&length)
            }
            _ => false,
        };
        if !taken {
            self.report(at, Change::ValueGone, format!("does not take {value} any more"));
        }
    }

    fn ranges(&mut self, at: &str, new: &Range, old: &Range) {
        if new.min > old.min {
            self.report(at, Change::Tightened, format!("must be at least {} now", new.min));
        }
        if new.max < old.max {
            self.report(at, Change::Tightened, format!("may be at most {} now", new.max));
        }
        for (key, value) in &new.others {
            if old.others.get(key) != Some(value) {
                self.report(at, Change::Tightened, format!("has a new rule: {key} {value}"));
            }
        }
    }

    fn texts(&mut self, at: &str, new: &Text, old: &Text) {
        if new.min > old.min {
            self.report(at, Change::Tightened, format!("must have at least {} characters now", new.min));
        }
        if new.max < old.max {
            self.report(at, Change::Tightened, format!("may have at most {} characters now", new.max));
        }
        if let Some(pattern) = new.pattern.as_ref().filter(|_| new.pattern != old.pattern) {
            self.report(at, Change::Tightened, format!("must match the pattern {pattern} now"));
        }
        if let Some(format) = new.format.as_ref().filter(|_| new.format != old.format) {
            self.report(at, Change::Tightened, format!("must be of the format {format} now"));
        }
    }

    fn lists(&mut self, at: &str, new: &List, old: &List) {
        if new.min > old.min {
            self.report(at, Change::Tightened, format!("must have at least {} items now", new.min));
        }
        if new.max < old.max {
            self.report(at, Change::Tightened, format!("may have at most {} items now", new.max));
        }
        if new.unique && !old.unique {
            self.report(at, Change::Tightened, "may have no item twice now");
        }
        let item = |list: &List, n: usize| list.first.get(n).unwrap_or(&list.rest).clone();
        for n in 0..new.first.len().max(old.first.len()) {
            // An item that the old list cannot have is nobody's.
            if (n as u64) < old.max {
                self.shapes(&format!("{at}/{n}"), &item(new, n), &item(old, n));
            }
        }
        if old.max > old.first.len() as u64 {
            self.shapes(&format!("{at}/*"), &new.rest, &old.rest);
        }
    }

    fn objects(&mut self, at: &str, new: &Object, old: &Object, unknown: Unknown) {
        for (name, field) in &new.fields {
            let at = below(at, name);
            let before = old.fields.get(name);
            if field.required && !before.is_some_and(|before| before.required) {
                let message = if before.is_some() {
                    "must not be left out any more"
                } else {
                    "is new, and must not be missing"
                };
                self.report(&at, Change::Required, message);
            }
            match (before, &old.others) {
                (Some(before), _) => self.shapes(&at, &field.shape, &before.shape),
                // The old object is a map: its keys may have this name.
                (None, Some(others)) if *others != Shape::Never => self.shapes(&at, &field.shape, others),
                _ => {}
            }
        }
        for (name, before) in old.fields.iter().filter(|(name, _)| !new.fields.contains_key(*name)) {
            let at = below(at, name);
            match &new.others {
                Some(Shape::Never) if unknown == Unknown::Refused => {
                    self.report(&at, Change::Removed, "is gone, and refused");
                }
                Some(Shape::Never) | None => {}
                Some(others) => self.shapes(&at, others, &before.shape),
            }
        }
        if let (Some(n), Some(o)) = (&new.others, &old.others) {
            let is_ignored = *n == Shape::Never && unknown == Unknown::Ignored;
            if !is_ignored {
                self.shapes(&format!("{at}/*"), n, o);
            }
        }
    }
}

/// Whether two shapes are of one sort, so that what differs inside of them says more than that they differ.
fn is_kin(new: &Shape, old: &Shape) -> bool {
    match (new, old) {
        (Shape::Object(n), Shape::Object(o)) => variant(n) == variant(o),
        (Shape::List(_), Shape::List(_))
        | (Shape::Text(_), Shape::Text(_))
        | (Shape::Integer(_) | Shape::Number(_), Shape::Integer(_)) => true,
        (Shape::Number(_), Shape::Number(_)) => true,
        _ => false,
    }
}

/// What tells a variant of an enum from its neighbours: its one key, or the constant under its tag.
fn variant(object: &Object) -> Vec<(&str, Option<&Value>)> {
    let constant = |shape: &'_ Shape| matches!(shape, Shape::Const(_));
    let tags = object.fields.iter().filter(|(_, field)| constant(&field.shape));
    let tags: Vec<_> = tags
        .map(|(name, field)| {
            (name.as_str(), if let Shape::Const(value) = &field.shape { Some(value) } else { None })
        })
        .collect();
    match object.fields.iter().next() {
        Some((name, _)) if tags.is_empty() && object.fields.len() == 1 => vec![(name.as_str(), None)],
        _ => tags,
    }
}

fn is_within(range: &Range, number: Option<f64>) -> bool {
    range.others.is_empty() && number.is_some_and(|number| (range.min..=range.max).contains(&number))
}

fn in_words(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything".to_owned(),
        Shape::Never => "nothing".to_owned(),
        Shape::Null => "null".to_owned(),
        Shape::Bool => "a boolean".to_owned(),
        Shape::Const(value) => value.to_string(),
        Shape::Integer(_) => "an integer".to_owned(),
        Shape::Number(_) => "a number".to_owned(),
        Shape::Text(_) => "a text".to_owned(),
        Shape::List(_) => "a list".to_owned(),
        Shape::Object(object) => match variant(object).first() {
            Some((_, Some(value))) => format!("the variant {value}"),
            Some((name, None)) => format!("the variant \"{name}\""),
            None => "an object".to_owned(),
        },
        Shape::Union(_) => "one of several forms".to_owned(),
        Shape::Named(_) | Shape::Opaque(_) => "something else".to_owned(),
    }
}
