//! Reads `#[job(..)]`: options in any order, each at most once, every mistake at its own token.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, LitStr, Path, Result, Token, parse_quote_spanned};

use crate::errors::Errors;
use crate::name;
use crate::value::{Backoff, Choice, Entry, Keep, Usage, Value, did_you_mean};

const OPTIONS: [Usage; 16] = [
    usage("queue", "the name of a queue, or a closure that picks it", r#"queue = "mail""#),
    usage(
        "priority",
        "a whole number from -32768 to 32767 (lower runs first), or a closure that picks it",
        "priority = 10",
    ),
    usage("delay", "a duration, or a closure that picks it", r#"delay = "5m""#),
    usage("unique", "a closure from the job to its key", "unique = |job| job.id.to_string()"),
    usage("retries", "a whole number from 0 to 1000 (the default, 24, makes 25 attempts)", "retries = 5"),
    usage("timeout", "a duration", r#"timeout = "30s""#),
    usage("backoff", "a curve, or the path of a `fn(u32) -> Duration`", r#"backoff = "exponential 2s""#),
    usage("keep", "a duration, or \"forever\"", r#"keep = "7d""#),
    usage("name", "the kind that is stored", r#"name = "mail.welcome""#),
    usage("aliases", "a list of former names", r#"aliases = ["old_name"]"#),
    usage("version", "a whole number from 1 to 1000", "version = 2"),
    usage(
        "upcast",
        "a list of functions, each from one version's arguments to the next one's",
        "upcast = [v1_to_v2]",
    ),
    usage("args", "the name of the arguments struct", "args = Welcome"),
    usage("crate", "the path of djob", "crate = my_app::djob"),
    usage("strict", FLAG, "strict"),
    usage("transactional", FLAG, "transactional"),
];

const FLAG: &str = "a flag, written alone or with `true` or `false`";

const fn usage(key: &'static str, wants: &'static str, example: &'static str) -> Usage {
    Usage { key, wants, example }
}

/// What `#[job(..)]` asks for. A mistaken option is reported and left at its default, so that the
/// job still expands and its callers still compile.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) queue: Option<Choice<LitStr>>,
    pub(crate) priority: Option<Choice<i16>>,
    pub(crate) delay: Option<Choice<u64>>,
    pub(crate) unique: Option<Expr>,
    pub(crate) retries: Option<u16>,
    pub(crate) timeout: Option<u64>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) keep: Option<Keep>,
    pub(crate) name: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) version: Option<u16>,
    /// One for each older version, the oldest first; `_` where no way leads on.
    pub(crate) upcast: Vec<Expr>,
    pub(crate) args: Option<Ident>,
    pub(crate) krate: Option<Path>,
    pub(crate) strict: bool,
    pub(crate) transactional: bool,
    keys: Vec<Ident>,
}

impl Options {
    pub(crate) fn read(attr: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Options::default();
        let parsed = (|input: ParseStream| Ok(entries(input, errors))).parse2(attr);
        for entry in errors.keep(parsed).unwrap_or_default() {
            let result = options.add(entry);
            errors.keep(result);
        }
        options
    }

    /// The key of an option as it was written: where mistakes about that option are reported.
    pub(crate) fn key(&self, name: &str) -> Option<&Ident> {
        self.keys.iter().find(|key| key.unraw() == name)
    }

    fn add(&mut self, Entry { key, value }: Entry) -> Result<()> {
        let typed = key.unraw().to_string();
        let usage = OPTIONS.iter().find(|usage| usage.key == typed).ok_or_else(|| unknown(&key))?;
        if self.key(usage.key).is_some() {
            return Err(Error::new(key.span(), format!("`{typed}` is given twice: keep one")));
        }
        self.keys.push(key.clone());
        let expr = value.or_else(|| implied(usage, &key)).ok_or_else(|| {
            Error::new(key.span(), format!("`{typed}` needs a value: write `{}`", usage.example))
        })?;
        self.set(&Value { usage, expr: &expr })
    }

    fn set(&mut self, value: &Value) -> Result<()> {
        match value.usage.key {
            "queue" => self.queue = Some(value.choice(|text| text.name("queue"))?),
            "priority" => self.priority = Some(value.choice(|n| n.integer(-0x8000..=0x7fff))?),
            "delay" => self.delay = Some(value.choice(Value::millis)?),
            "unique" => self.unique = Some(value.computed()?),
            "retries" => self.retries = Some(value.integer(0..=1000)?),
            "timeout" => self.timeout = Some(value.millis()?),
            "backoff" => self.backoff = Some(value.backoff()?),
            "keep" => self.keep = Some(value.keep()?),
            "name" => self.name = Some(value.name("kind")?),
            "aliases" => self.aliases = value.names("kind")?,
            "version" => self.version = Some(value.integer(1..=1000)?),
            "upcast" => self.upcast = value.functions()?,
            "args" => self.args = Some(value.ident()?),
            "crate" => self.krate = Some(value.path()?),
            "strict" => self.strict = value.flag()?,
            "transactional" => self.transactional = value.flag()?,
            key => unreachable!("`{key}` is listed in OPTIONS"),
        }
        Ok(())
    }
}

/// A flag written alone means `true`.
fn implied(usage: &Usage, key: &Ident) -> Option<Expr> {
    (usage.wants == FLAG).then(|| parse_quote_spanned!(key.span()=> true))
}

/// One bad option does not hide the next: after a mistake, reading goes on behind the next comma.
fn entries(input: ParseStream, errors: &mut Errors) -> Vec<Entry> {
    let mut entries = vec![];
    while !input.is_empty() {
        if let Some(entry) = errors.keep(input.parse()) {
            entries.push(entry);
            if !input.is_empty() && !input.peek(Token![,]) {
                errors.push(input.error("expected `,` between two options"));
            }
        }
        skip_past_comma(input);
    }
    entries
}

fn skip_past_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _: Result<TokenTree> = input.parse();
    }
    let _: Result<Option<Token![,]>> = input.parse();
}

fn unknown(key: &Ident) -> Error {
    let typed = key.unraw().to_string();
    let known: Vec<_> = OPTIONS.iter().map(|usage| usage.key).collect();
    let hint = did_you_mean(name::nearest(&typed, known.iter().copied()));
    Error::new(key.span(), format!("unknown option `{typed}`{hint} (known: {})", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};

    use super::*;

    fn read(attr: TokenStream) -> (Options, String) {
        let mut errors = Errors::default();
        let options = Options::read(attr, &mut errors);
        (options, errors.to_token_stream().to_string())
    }

    #[test]
    fn every_listed_option_is_read_from_its_own_example() {
        for usage in &OPTIONS {
            let (options, errors) = read(usage.example.parse().unwrap());
            assert!(errors.is_empty(), "{}: {errors}", usage.example);
            assert!(options.key(usage.key).is_some(), "{}", usage.example);
        }
    }

    #[test]
    fn one_mistake_does_not_hide_the_next() {
        let (options, errors) = read(quote!(
            retires = 1,
            queue = "A",
            timeout = 30,
            "mail",
            strict strict,
            delay = ,
            keep = "7d"
        ));
        assert_eq!(errors.matches("compile_error").count(), 6, "{errors}");
        assert!(options.strict && options.keep.is_some());
    }

    #[test]
    fn the_way_out_is_written_with_the_users_own_value() {
        for (attr, way_out) in [
            (quote!(retries = "7"), "write `retries = 7`"),
            (quote!(timeout = 90), "write `timeout = \\\"90s\\\"`"),
            (quote!(args = "Welcome"), "write `args = Welcome`"),
            (quote!(aliases = "old"), "write `aliases = [\\\"old\\\"]`"),
            (quote!(queue = "Send Mail"), "write \\\"send_mail\\\""),
            (quote!(backoff = "linear"), "write \\\"linear 30s\\\""),
            (quote!(backoff = "exponental 2s"), "did you mean `exponential`?"),
            (quote!(unqiue = |job| job.id), "did you mean `unique`?"),
        ] {
            let (_, errors) = read(attr);
            assert!(errors.contains(way_out), "{errors}");
        }
    }

    #[test]
    fn options_keep_a_value_that_came_through_a_macro() {
        let value = proc_macro2::Group::new(proc_macro2::Delimiter::None, quote!(7));
        let (options, errors) = read(quote!(retries = #value, priority = -5));
        assert_eq!((options.retries, errors.as_str()), (Some(7), ""));
        assert_eq!(options.priority.as_ref().and_then(Choice::fixed), Some(&-5));
    }
}
