//! Comparing schemas against the truth: whatever one job's code takes, another's code takes too, or the comparison says so.

use std::collections::BTreeMap;

use djob::{JobDef, job};
use serde_json::Value;

use crate::{Samples, Unknown, differences};

#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
#[serde(rename_all = "snake_case")]
enum Two {
    A,
    B,
}

#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
#[serde(rename_all = "snake_case")]
enum Three {
    /// The first.
    A,
    B,
    C,
}

#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
struct Point {
    x: i32,
    y: i32,
}

#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
struct Place {
    x: i64,
    #[serde(default)]
    y: Option<i64>,
    #[serde(default)]
    name: String,
}

#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
enum Shape {
    Dot(Point),
    Circle { at: Point, radius: u8 },
    Nothing,
}

#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
enum MoreShapes {
    Dot(Place),
    Circle { at: Point, radius: u16 },
    Nothing,
    Line(Point, Point),
}

#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
#[serde(tag = "type")]
enum Tagged {
    Dot(Point),
    Text { text: String },
}

#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
#[serde(untagged)]
enum Either {
    Number(u32),
    Text(String),
}

/// A type that contains itself.
#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
struct Tree {
    value: i32,
    children: Vec<Tree>,
}

#[derive(serde::Serialize, serde::Deserialize, djob::schemars::JsonSchema)]
#[schemars(crate = "djob::schemars")]
struct WideTree {
    value: i64,
    children: Vec<WideTree>,
}

macro_rules! jobs {
    ($($name:ident($($args:tt)*);)*) => {
        $(#[job]
        #[allow(unused_variables)]
        async fn $name($($args)*) {})*

        fn all() -> Vec<&'static JobDef> {
            vec![$($name.def()),*]
        }
    };
}

jobs! {
    of_none();
    of_int_8(a: i8);
    of_int_16(a: i16);
    of_int_32(a: i32);
    of_int_64(a: i64);
    of_unsigned_8(a: u8);
    of_unsigned_32(a: u32);
    of_unsigned_64(a: u64);
    of_small(#[validate(range(min = 1, max = 10))] a: i32);
    of_smaller(#[validate(range(min = 2, max = 9))] a: i32);
    of_float(a: f32);
    of_double(a: f64);
    of_boolean(a: bool);
    of_text(a: String);
    of_short_text(#[validate(length(max = 3))] a: String);
    of_some_text(#[validate(length(min = 1, max = 30))] a: String);
    of_email(#[validate(email)] a: String);
    of_url(#[validate(url)] a: String);
    of_optional_int(a: Option<i32>);
    of_default_int(#[serde(default)] a: i32);
    of_optional_default_int(#[serde(default)] a: Option<i32>);
    of_optional_text(#[validate(length(max = 5))] a: Option<String>);
    of_list(a: Vec<i32>);
    of_wide_list(a: Vec<i64>);
    of_short_list(#[validate(length(max = 2))] a: Vec<i32>);
    of_text_list(a: Vec<String>);
    of_optional_list(a: Vec<Option<i32>>);
    of_pair(a: (i32, String));
    of_wide_pair(a: (i64, String));
    of_array(a: [i32; 2]);
    of_map(a: BTreeMap<String, i32>);
    of_wide_map(a: BTreeMap<String, i64>);
    of_numbered_map(a: BTreeMap<u32, i32>);
    of_two(a: Two);
    of_three(a: Three);
    of_optional_two(a: Option<Two>);
    of_point(a: Point);
    of_place(a: Place);
    of_optional_point(a: Option<Point>);
    of_shape(a: Shape);
    of_more_shapes(a: MoreShapes);
    of_tagged(a: Tagged);
    of_either(a: Either);
    of_tree(a: Tree);
    of_wide_tree(a: WideTree);
    of_anything(a: Value);
    of_uuid(a: uuid::Uuid);
    of_date(a: chrono::NaiveDate);
    of_date_time(a: chrono::DateTime<chrono::Utc>);
    of_two_arguments(a: i32, b: String);
    of_two_of_which_one_may_miss(a: i32, #[serde(default)] b: Option<String>);
    of_another_name(#[serde(alias = "a")] b: i32);
}

/// What the old code takes, of what its schema allows.
fn payloads(old: &JobDef) -> Vec<String> {
    let samples = Samples::of(&(old.schema)().to_value(), 7).take(150).map(|value| value.to_string());
    let mut taken: Vec<String> = samples.filter(|args| (old.check)(args).is_ok()).collect();
    taken.sort();
    taken.dedup();
    assert!(!taken.is_empty(), "{}: nothing that its schema allows is taken by its code", old.kind);
    taken
}

#[test]
fn what_old_code_takes_new_code_takes_or_it_was_reported() {
    let jobs = all();
    let (mut pairs, mut safe, mut in_vain) = (0, 0, vec![]);
    for old in &jobs {
        let payloads = payloads(old);
        for new in &jobs {
            pairs += 1;
            let found = differences(&(new.schema)().to_value(), &(old.schema)().to_value(), Unknown::Ignored);
            let refused: Vec<&String> = payloads.iter().filter(|args| (new.check)(args).is_err()).collect();
            if found.is_empty() {
                safe += 1;
                assert!(refused.is_empty(), "{} -> {}: {:?} was not reported", old.kind, new.kind, refused);
            } else if refused.is_empty() {
                in_vain.push(format!("{} -> {}: {}", old.kind, new.kind, found[0].message));
            }
        }
    }
    println!("{pairs} pairs, {safe} of them safe; reported in vain:\n{}", in_vain.join("\n"));
    assert!(safe > jobs.len(), "a job and itself, and more");
    // What is not understood may be reported in vain, but people stop to listen if that is often.
    assert!(in_vain.len() * 20 < pairs, "{} of {pairs} were reported in vain", in_vain.len());
}

#[test]
fn a_job_and_itself_differ_in_nothing() {
    for def in all() {
        let schema = (def.schema)().to_value();
        assert_eq!(differences(&schema, &schema, Unknown::Refused), [], "{}", def.kind);
    }
}

#[test]
fn what_a_judge_takes_the_code_takes() {
    for def in all() {
        let schema = (def.schema)().to_value();
        let judge = crate::Judge::new(&schema).unwrap();
        for args in Samples::of(&schema, 3).take(100).map(|value| value.to_string()) {
            // What a sample does not keep to (a pattern, a format) is refused by both.
            assert_eq!(judge.check(&args).is_ok(), (def.check)(&args).is_ok(), "{}: {args}", def.kind);
        }
    }
}
