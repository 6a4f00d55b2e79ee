//! The rules of a job that no single token breaks alone.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{GenericParam, Generics, Safety, Type};

use crate::attr::Options;
use crate::errors::Errors;
use crate::input::Function;
use crate::name;
use crate::param::{self, Param};

/// Reads the parameters and refuses what cannot become a job.
pub(crate) fn signature(function: &mut Function, errors: &mut Errors) -> Vec<Param> {
    qualifiers(function, errors);
    let params: Vec<_> =
        function.sig.inputs.iter_mut().filter_map(|input| Param::read(input, errors)).collect();
    output(&function.output(), errors);
    contexts(&params, errors);
    keys(&params, errors);
    params
}

fn qualifiers(function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    if let Some(token) = &sig.constness {
        errors.at(token, "a job runs in a worker, never at compile time: remove `const`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.at(
            token,
            "a job is called with whatever is in the queue, so it cannot be `unsafe`: check inside",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.at(abi, "a job is called by the worker, which is Rust: remove `extern`");
    }
    if !sig.generics.params.is_empty() {
        errors.at(&sig.generics, generic(&sig.generics));
    }
    for attr in &function.attrs {
        if attr.path().segments.last().is_some_and(|last| last.ident == "job") {
            errors.at(attr, "a function is one job: write all options in one `#[job(..)]`");
        }
    }
}

fn generic(generics: &Generics) -> &'static str {
    if generics.params.iter().all(|param| matches!(param, GenericParam::Lifetime(_))) {
        "a job needs no lifetime, since nothing it borrows outlives it: remove this"
    } else {
        "a job cannot be generic: the worker finds it by its name, so there must be exactly one; write one `#[job]` \
        per type, each calling a shared generic function"
    }
}

fn output(output: &Type, errors: &mut Errors) {
    if let Type::Never(never) = output {
        errors.at(never, "a job that never returns would never complete: return `()` or a `Result`");
    } else if let Some(word) = param::word(output.to_token_stream(), "impl") {
        errors.at(word, "the result of a job is stored, so its type must be concrete: name the type");
    } else if let Some(place) = param::borrow(output.to_token_stream()) {
        errors.at(
            place,
            "the result of a job outlives what it was given: return the owned type, such as `String`",
        );
    }
}

fn contexts(params: &[Param], errors: &mut Errors) {
    for second in params.iter().filter(|param| param.is_context()).skip(1) {
        errors.at(&second.ty, "a job has one context: remove this parameter");
    }
}

fn keys(params: &[Param], errors: &mut Errors) {
    for (i, param) in params.iter().enumerate() {
        let Some(key) = param.key() else { continue };
        let earlier = params[..i].iter().find(|other| other.key() == Some(key));
        // Two equal names are the compiler's to report.
        if let Some(earlier) = earlier.filter(|earlier| earlier.ident != param.ident) {
            let (this, other) = (&param.ident, &earlier.ident);
            errors.at(this, format!("`{this}` and `{other}` would both be stored as `{key}`: rename one"));
        }
    }
}

/// Options that cannot be meant together, or not on this function.
pub(crate) fn contradictions(options: &Options, function: &Function, params: &[Param], errors: &mut Errors) {
    kind(options, function, errors);
    aliases(options, function, errors);
    versions(options, errors);
    if options.retries == Some(0) && options.backoff.is_some() {
        errors.at(
            options.key("backoff"),
            "`retries = 0` leaves nothing to wait for: remove `backoff`, or retry",
        );
    }
    if options.timeout == Some(0) {
        errors.at(
            options.key("timeout"),
            "a timeout of nothing ends every attempt at once: give the job some time",
        );
    }
    if options.args.as_ref().is_some_and(|args| *args == function.sig.ident) {
        errors.at(&options.args, "the function has this name already: name the arguments otherwise");
    }
    if options.transactional {
        transactional(options, function, params, errors);
    }
    if options.strict {
        strict(params, errors);
    }
}

/// Without a `name`, the function's own must be fit to be stored.
fn kind(options: &Options, function: &Function, errors: &mut Errors) {
    // A `name` that is there and wrong has been reported itself.
    if options.key("name").is_some() {
        return;
    }
    let ident = &function.sig.ident;
    let own = ident.unraw().to_string();
    if let Some(fault) = name::fault("kind", &own) {
        let way_out = match name::nearest_valid(&own) {
            Some(name) => format!("rename it `{name}`, or add `name = \"{name}\"`"),
            None => "rename it, or add `name = \"..\"`".to_owned(),
        };
        errors.at(ident, format!("{fault}; {way_out}"));
    }
}

fn aliases(options: &Options, function: &Function, errors: &mut Errors) {
    let kind = kind_of(options, function);
    for (i, alias) in options.aliases.iter().enumerate() {
        if alias.value() == kind {
            errors.at(alias, format!("the job is called \"{kind}\" already: aliases are its former names"));
        } else if options.aliases[..i].iter().any(|earlier| earlier.value() == alias.value()) {
            errors.at(alias, "this alias is given twice: keep one");
        }
    }
}

/// Every older version has its place in the chain that leads to today's.
fn versions(options: &Options, errors: &mut Errors) {
    // One that is there and wrong has been reported itself.
    let is_wrong = |key: &str, read: bool| options.key(key).is_some() && !read;
    if is_wrong("version", options.version.is_some()) || is_wrong("upcast", !options.upcast.is_empty()) {
        return;
    }
    let (version, given) = (usize::from(options.version.unwrap_or(1)), options.upcast.len());
    let missing = |at: usize| format!("v{at}_to_v{}", at + 1);
    let chain = (1..version).map(missing).collect::<Vec<_>>().join(", ");
    if given > 0 && options.version.is_none() {
        let next = given + 1;
        errors.at(
            options.key("upcast"),
            format!("`upcast` leads to a newer version: say to which, `version = {next}`"),
        );
    } else if given + 1 > version {
        let older = version - 1;
        errors.at(options.key("upcast"), format!("version {version} has {older} older ones and `upcast` has {given} functions: raise `version`, or remove what is too much"));
    } else if given + 1 < version {
        let key = if given > 0 { "upcast" } else { "version" };
        errors.at(options.key(key), format!("jobs of older versions may still be stored, and version {version} needs a way from each, the oldest first: write `upcast = [{chain}]`, with `_` for a version of which none is left"));
    }
}

/// The kind a job is stored under.
pub(crate) fn kind_of(options: &Options, function: &Function) -> String {
    let own = || function.sig.ident.unraw().to_string();
    options.name.as_ref().map_or_else(own, syn::LitStr::value)
}

fn transactional(options: &Options, function: &Function, params: &[Param], errors: &mut Errors) {
    let key = options.key("transactional");
    if !function.is_async() {
        errors.at(key, "only an `async fn` can complete inside a transaction: make the job async");
    } else if !params.iter().any(Param::is_context) {
        errors.at(
            key,
            "a transactional job completes through `ctx.complete_in(&mut tx)`: add a parameter `ctx: &JobContext`",
        );
    }
}

fn strict(params: &[Param], errors: &mut Errors) {
    for flatten in params.iter().filter_map(|param| param.serde("flatten")) {
        errors
            .at(flatten, "`strict` refuses unknown fields and `flatten` collects them: keep one of the two");
    }
}
