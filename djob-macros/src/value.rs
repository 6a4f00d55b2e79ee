//! One option as written, `key = value`, and the readers that turn its value into what it means.

use std::fmt::Display;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::token::Paren;
use syn::{Error, Expr, ExprClosure, ExprLit, ExprUnary, Lit, LitInt, LitStr, Path, Result, Token, UnOp};

use crate::{duration, name};

/// A value that is fixed, or computed from the arguments of each job.
pub(crate) enum Choice<T> {
    Fixed(T),
    Computed(Expr),
}

impl<T> Choice<T> {
    pub(crate) fn fixed(&self) -> Option<&T> {
        match self {
            Choice::Fixed(value) => Some(value),
            Choice::Computed(_) => None,
        }
    }

    pub(crate) fn computed(&self) -> Option<&Expr> {
        match self {
            Choice::Fixed(_) => None,
            Choice::Computed(expr) => Some(expr),
        }
    }
}

/// The wait before a retry. Times are in milliseconds.
pub(crate) enum Backoff {
    Polynomial,
    Exponential(u64),
    Linear(u64),
    Fixed(u64),
    Custom(Expr),
}

/// How long a finished job stays readable.
pub(crate) enum Keep {
    Millis(u64),
    Forever,
}

/// What an option wants and how it is written: the material of its messages.
pub(crate) struct Usage {
    pub(crate) key: &'static str,
    pub(crate) wants: &'static str,
    pub(crate) example: &'static str,
}

/// `key` or `key = value`.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    pub(crate) value: Option<Expr>,
}

impl Parse for Entry {
    fn parse(input: ParseStream) -> Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected an option such as `queue = \"mail\"` or `retries = 5`"));
        }
        let key = input.call(Ident::parse_any)?;
        if input.peek(Paren) || input.peek(Token![:]) {
            return Err(input.error(format!("an option is written with `=`: `{key} = ..`")));
        }
        let assigned = input.parse::<Option<Token![=]>>()?.is_some();
        // A value still to be typed is reported as missing, by whoever knows the option.
        let value = if assigned && !input.is_empty() && !input.peek(Token![,]) {
            Some(bare(input.parse()?))
        } else {
            None
        };
        Ok(Entry { key, value })
    }
}

/// An expression that comes through `macro_rules!` sits in an invisible group.
fn bare(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => bare(*group.expr),
        Expr::Paren(paren) => bare(*paren.expr),
        expr => expr,
    }
}

/// The value of a known option, about to be read.
pub(crate) struct Value<'a> {
    pub(crate) usage: &'static Usage,
    pub(crate) expr: &'a Expr,
}

impl Value<'_> {
    pub(crate) fn text(&self) -> Result<LitStr> {
        match self.expr {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
            expr => Err(self.wrong(integer(expr).map(|n| format!("\"{n}s\"")).filter(|_| self.wants_time()))),
        }
    }

    pub(crate) fn name(&self, what: &str) -> Result<LitStr> {
        let text = self.text()?;
        match name::fault(what, &text.value()) {
            Some(fault) => {
                let fixed = name::nearest_valid(&text.value());
                let way_out = fixed.map(|name| format!("; write \"{name}\"")).unwrap_or_default();
                Err(Error::new(text.span(), fault + &way_out))
            }
            None => Ok(text),
        }
    }

    /// `["old_name", "older_name"]`
    pub(crate) fn names(&self, what: &str) -> Result<Vec<LitStr>> {
        let Expr::Array(list) = self.expr else {
            let one = matches!(self.expr, Expr::Lit(_)).then(|| format!("[{}]", self.written()));
            return Err(self.wrong(one));
        };
        let read = |expr| Value { expr, ..*self }.name(what);
        let (mut names, mut errors) = (vec![], None::<Error>);
        for result in list.elems.iter().map(read) {
            match (result, &mut errors) {
                (Ok(name), _) => names.push(name),
                (Err(error), Some(errors)) => errors.combine(error),
                (Err(error), none) => *none = Some(error),
            }
        }
        errors.map_or(Ok(names), Err)
    }

    pub(crate) fn integer<T: TryFrom<i128>>(&self, range: std::ops::RangeInclusive<i128>) -> Result<T> {
        integer(self.expr)
            .filter(|n| range.contains(n))
            .and_then(|n| T::try_from(n).ok())
            .ok_or_else(|| self.wrong(self.quoted().filter(|text| text.parse::<i128>().is_ok())))
    }

    pub(crate) fn millis(&self) -> Result<u64> {
        let text = self.text()?;
        duration::parse(&text.value()).map_err(|reason| Error::new(text.span(), reason))
    }

    /// Alone, or `= true`, `= false`.
    pub(crate) fn flag(&self) -> Result<bool> {
        match self.expr {
            Expr::Lit(ExprLit { lit: Lit::Bool(flag), .. }) => Ok(flag.value),
            _ => Err(self.wrong(None)),
        }
    }

    pub(crate) fn path(&self) -> Result<Path> {
        match self.expr {
            Expr::Path(expr) if expr.qself.is_none() => Ok(expr.path.clone()),
            _ => Err(self.wrong(self.quoted())),
        }
    }

    pub(crate) fn ident(&self) -> Result<Ident> {
        self.path()?.get_ident().cloned().ok_or_else(|| self.wrong(None))
    }

    /// `|job| ..`, or the path of a function that takes the job.
    pub(crate) fn computed(&self) -> Result<Expr> {
        match self.expr {
            Expr::Closure(closure) => one_input(closure)?,
            Expr::Path(_) => {}
            _ => return Err(self.wrong(None)),
        }
        Ok(self.expr.clone())
    }

    /// `[first, second, _]`, or one alone.
    pub(crate) fn functions(&self) -> Result<Vec<Expr>> {
        let is_function = |expr: &Expr| matches!(expr, Expr::Path(_) | Expr::Closure(_) | Expr::Infer(_));
        match self.expr {
            Expr::Array(list) if list.elems.iter().all(is_function) => {
                Ok(list.elems.iter().cloned().collect())
            }
            expr if is_function(expr) => Ok(vec![expr.clone()]),
            _ => Err(self.wrong(None)),
        }
    }

    pub(crate) fn choice<T>(&self, fixed: impl FnOnce(&Self) -> Result<T>) -> Result<Choice<T>> {
        match self.expr {
            Expr::Closure(_) | Expr::Path(_) => self.computed().map(Choice::Computed),
            _ => fixed(self).map(Choice::Fixed),
        }
    }

    /// `"polynomial"`, `"exponential 2s"`, `"linear 30s"`, `"fixed 30s"`, or a path.
    pub(crate) fn backoff(&self) -> Result<Backoff> {
        if matches!(self.expr, Expr::Path(_) | Expr::Closure(_)) {
            return self.computed().map(Backoff::Custom);
        }
        let text = self.text()?;
        backoff(&text.value()).map_err(|reason| Error::new(text.span(), reason))
    }

    pub(crate) fn keep(&self) -> Result<Keep> {
        match self.text()?.value().as_str() {
            "forever" => Ok(Keep::Forever),
            word if !word.contains(|c: char| c.is_ascii_digit()) => Err(self.wrong(None)),
            _ => self.millis().map(Keep::Millis),
        }
    }

    /// The value is of the wrong sort: what is wanted, and how the user's own value is written well.
    fn wrong(&self, fixed: Option<String>) -> Error {
        let Usage { key, wants, example } = self.usage;
        let write = fixed.map_or_else(|| (*example).to_owned(), |value| format!("{key} = {value}"));
        Error::new_spanned(self.expr, format!("`{key}` is {wants}: write `{write}`"))
    }

    fn written(&self) -> String {
        self.expr.to_token_stream().to_string()
    }

    /// What stands between the quotes, where quotes are not wanted.
    fn quoted(&self) -> Option<String> {
        match self.expr {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        }
    }

    fn wants_time(&self) -> bool {
        self.usage.wants.contains("duration")
    }
}

fn integer(expr: &Expr) -> Option<i128> {
    let parse = |lit: &LitInt| lit.base10_parse::<i128>().ok();
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(lit), .. }) => parse(lit),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => integer(expr).map(|n| -n),
        _ => None,
    }
}

fn one_input(closure: &ExprClosure) -> Result<()> {
    match (&closure.asyncness, closure.inputs.len()) {
        (None, 1) => Ok(()),
        (None, _) => Err(Error::new_spanned(closure, "the closure takes one thing: write `|job| ..`")),
        (Some(token), _) => {
            Err(Error::new_spanned(token, "the closure is called without `.await`: remove `async`"))
        }
    }
}

fn backoff(text: &str) -> std::result::Result<Backoff, String> {
    let (curve, time) = text.split_once(' ').map_or((text, None), |(curve, time)| (curve, Some(time.trim())));
    let millis = time.map(duration::parse).transpose()?;
    match (curve, millis) {
        ("exponential" | "linear", Some(0)) => {
            Err(format!("`{text}` never grows: start from at least `1ms`"))
        }
        ("polynomial", None) => Ok(Backoff::Polynomial),
        ("polynomial", Some(_)) => Err("`polynomial` takes no time: it waits 5 s + attempt⁴ s".to_owned()),
        ("exponential", millis) => Ok(Backoff::Exponential(millis.unwrap_or(1000))),
        ("linear", Some(millis)) => Ok(Backoff::Linear(millis)),
        ("fixed", Some(millis)) => Ok(Backoff::Fixed(millis)),
        ("linear" | "fixed", None) => Err(format!("`{curve}` needs a time: write \"{curve} 30s\"")),
        _ => Err(unknown_curve(curve)),
    }
}

fn unknown_curve(curve: &str) -> String {
    let known = ["polynomial", "exponential", "linear", "fixed"];
    let hint = did_you_mean(name::nearest(curve, known.into_iter()));
    format!("unknown backoff `{curve}`{hint} (known: polynomial, exponential 2s, linear 30s, fixed 30s)")
}

pub(crate) fn did_you_mean(nearest: Option<impl Display>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
