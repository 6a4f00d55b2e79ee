//! Arguments as a schema allows them, at random and at the edges: for tests, and to try an upcaster.

use serde_json::{Map, Number, Value};

use crate::shape::{List, Object, Range, Shape, Shapes, Text};

/// Types that contain themselves are followed this far.
const DEEP: u32 = 5;

/// Values that fit a schema, one after the other, for ever. The same seed gives the same values.
///
/// What a schema asks by a `pattern`, and what a type asks beyond its schema, is not known here: some of the values may be refused
/// by the job.
///
/// ```
/// use djob_contract::Samples;
/// use serde_json::json;
///
/// let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]});
/// for args in Samples::of(&schema, 7).take(100) {
///     assert!(args["n"].as_u64().is_some_and(|n| n >= 1), "{args}");
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Samples {
    shapes: Shapes,
    dice: Dice,
}

impl Samples {
    /// Values for this schema.
    pub fn of(schema: &Value, seed: u64) -> Self {
        Samples { shapes: Shapes::of(schema), dice: Dice(seed) }
    }
}

impl Iterator for Samples {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let Samples { shapes, dice } = self;
        Some(Making { shapes, dice }.value(&shapes.root, 0))
    }
}

/// Numbers that look random (splitmix64).
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than this.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).unwrap_or(0)
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> Option<&'a T> {
        of.get(self.below(of.len())).copied()
    }
}

struct Making<'a> {
    shapes: &'a Shapes,
    dice: &'a mut Dice,
}

impl Making<'_> {
    fn value(&mut self, shape: &Shape, depth: u32) -> Value {
        match self.shapes.resolve(shape) {
            Shape::Null | Shape::Never => Value::Null,
            Shape::Bool => (self.dice.below(2) == 0).into(),
            Shape::Const(value) => value.clone(),
            Shape::Integer(range) => self.integer(range),
            Shape::Number(range) => self.number(range),
            Shape::Text(text) => self.text(text).into(),
            Shape::List(list) => self.list(list, depth),
            Shape::Object(object) => self.object(object, depth),
            Shape::Union(forms) => {
                // The simplest form brings a type that contains itself to an end.
                let at =
                    if depth >= DEEP { simplest(self.shapes, forms) } else { self.dice.below(forms.len()) };
                forms.get(at).map_or(Value::Null, |form| self.value(form, depth + 1))
            }
            Shape::Any | Shape::Opaque(_) | Shape::Named(_) => {
                let some = [
                    Value::Null,
                    true.into(),
                    7.into(),
                    "x".into(),
                    Value::Array(vec![]),
                    Value::Object(Map::new()),
                ];
                some[self.dice.below(some.len())].clone()
            }
        }
    }

    fn integer(&mut self, range: &Range) -> Value {
        // The edges are where types differ.
        let (min, max) = (range.min.max(i64::MIN as f64), range.max.min(u64::MAX as f64));
        let near = [min, max, min + 1.0, 0.0, 1.0, -1.0, 7.0, 1000.0];
        let fits: Vec<f64> = near.into_iter().filter(|n| (min..=max).contains(n)).collect();
        let chosen = fits.get(self.dice.below(fits.len())).copied().unwrap_or(min);
        // `as` keeps to the bounds of the type.
        if chosen < 0.0 { (chosen as i64).into() } else { (chosen as u64).into() }
    }

    fn number(&mut self, range: &Range) -> Value {
        let near = [range.min, range.max, 0.0, 0.5, -2.25, 1e10, 7.0];
        let fits: Vec<f64> =
            near.into_iter().filter(|n| n.is_finite() && (range.min..=range.max).contains(n)).collect();
        let chosen = fits.get(self.dice.below(fits.len())).copied().unwrap_or(0.0);
        Number::from_f64(chosen).map_or(Value::Null, Value::Number)
    }

    fn text(&mut self, text: &Text) -> String {
        if let Some(example) = text.format.as_deref().and_then(example) {
            return example.to_owned();
        }
        // A character of several bytes counts once.
        let longest = text.max.min(text.min.saturating_add(12));
        let length = [text.min, longest, text.min.saturating_add(3).min(longest)][self.dice.below(3)];
        (0..length).map(|_| ['a', 'Z', '7', ' ', 'é', '"'][self.dice.below(6)]).collect()
    }

    fn list(&mut self, list: &List, depth: u32) -> Value {
        let most = if depth >= DEEP { list.min } else { list.max.min(list.min.saturating_add(3)) };
        let length = list.min + self.dice.below(usize::try_from(most - list.min).unwrap_or(0) + 1) as u64;
        let length = usize::try_from(length).unwrap_or(0);
        let mut items: Vec<Value> =
            (0..length).map(|n| self.value(list.first.get(n).unwrap_or(&list.rest), depth + 1)).collect();
        if list.unique {
            items.dedup();
        }
        items.into()
    }

    fn object(&mut self, object: &Object, depth: u32) -> Value {
        let mut map = Map::new();
        for (name, field) in &object.fields {
            if field.required || (depth < DEEP && self.dice.below(3) > 0) {
                let value = self.value(&field.shape, depth + 1);
                map.insert(name.clone(), value);
            }
        }
        if let Some(others) = object.others.as_ref().filter(|others| **others != Shape::Never) {
            for _ in 0..self.dice.below(3) {
                let name = self.dice.pick(&["a", "some key", "ключ"]).unwrap_or("a").to_owned();
                if !object.fields.contains_key(&name) {
                    let value = self.value(others, depth + 1);
                    map.insert(name, value);
                }
            }
        }
        map.into()
    }
}

/// The form that contains the least.
fn simplest(shapes: &Shapes, forms: &[Shape]) -> usize {
    let weight = |shape: &Shape| match shapes.resolve(shape) {
        Shape::Object(object) => 2 + object.fields.len(),
        Shape::List(_) => 1,
        Shape::Union(_) | Shape::Named(_) => 50,
        _ => 0,
    };
    let lightest = forms.iter().enumerate().min_by_key(|(_, form)| weight(form));
    lightest.map_or(0, |(at, _)| at)
}

/// A text of a format that schemars or `#[validate]` names.
fn example(format: &str) -> Option<&'static str> {
    Some(match format {
        "email" => "ada@example.org",
        "uri" => "https://example.org/a?b=c",
        "uuid" => "67e55044-10b1-426f-9247-bb680e5fe0c8",
        "date-time" => "2026-02-28T23:59:59.5Z",
        "partial-date-time" => "2026-02-28T23:59:59.5",
        "date" => "2026-02-28",
        "partial-time" => "23:59:59",
        "ip" | "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        _ => return None,
    })
}
