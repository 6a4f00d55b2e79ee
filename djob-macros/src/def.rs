//! What the worker sees: the definition of the job, and its place in the registry.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, GenericArgument, LitStr, PathArguments, PathSegment, Type};

use crate::expand::Job;
use crate::param::{Kind, Param, spelled};
use crate::value::{Backoff, Choice, Keep};
use crate::{check, methods};

/// Retries unless the job says otherwise: 25 attempts in all, delayed_job's number.
const RETRIES: u16 = 24;

pub(crate) fn expand(job: &Job) -> TokenStream {
    let Job { krate: k, args, .. } = job;
    let (options, code, overrides) = (options(job), code(job), overrides(job));
    quote! {
        impl #k::Job for #args {
            const DEF: &'static #k::JobDef = &#k::JobDef {
                #options
                file: ::core::file!(),
                line: ::core::line!(),
                #code
            };
            #overrides
        }
        #k::__private::inventory::submit! { #k::__private::Registered(<#args as #k::Job>::DEF) }
    }
}

fn options(job: &Job) -> TokenStream {
    let options = job.options;
    let (kind, aliases) = (check::kind_of(options, job.function), &options.aliases);
    let (version, upcasts) = (options.version.unwrap_or(1), upcasts(job));
    let queue =
        options.queue.as_ref().and_then(Choice::fixed).map_or_else(|| "default".to_owned(), LitStr::value);
    let priority = options.priority.as_ref().and_then(Choice::fixed).copied().unwrap_or(0);
    let delay = duration(options.delay.as_ref().and_then(Choice::fixed).copied().unwrap_or(0));
    let computed = computed_options(job);
    let retries = options.retries.unwrap_or(RETRIES);
    let timeout = option(options.timeout.map(duration));
    let (backoff, keep) = (backoff(job), keep(job));
    let (transactional, strict, blocking) = (options.transactional, options.strict, !job.function.is_async());
    quote! {
        kind: #kind,
        aliases: &[#(#aliases),*],
        version: #version,
        upcasts: &[#(#upcasts),*],
        queue: #queue,
        priority: #priority,
        delay: #delay,
        computed: &[#(#computed),*],
        retries: #retries,
        timeout: #timeout,
        backoff: #backoff,
        keep: #keep,
        transactional: #transactional,
        strict: #strict,
        blocking: #blocking,
    }
}

/// The names of the options that only the job's code can tell.
fn computed_options(job: &Job) -> impl Iterator<Item = &'static str> {
    let options = job.options;
    let is_computed = [
        ("queue", options.queue.as_ref().is_some_and(|queue| queue.computed().is_some())),
        ("priority", options.priority.as_ref().is_some_and(|priority| priority.computed().is_some())),
        ("delay", options.delay.as_ref().is_some_and(|delay| delay.computed().is_some())),
        ("unique", options.unique.is_some()),
    ];
    is_computed.into_iter().filter(|(_, computed)| *computed).map(|(name, _)| name)
}

/// From each older version on, the steps that lead to today's arguments.
fn upcasts(job: &Job) -> impl Iterator<Item = TokenStream> {
    let chain: Vec<(u16, &Expr)> = (1..).zip(&job.options.upcast).collect();
    let from = move |first: usize| {
        let steps = &chain[first..];
        let leads_on = !steps.iter().any(|(_, upcaster)| matches!(upcaster, Expr::Infer(_)));
        option(leads_on.then(|| upcast(job, steps)))
    };
    (0..job.options.upcast.len()).map(from)
}

fn upcast(job: &Job, steps: &[(u16, &Expr)]) -> TokenStream {
    let Job { krate: k, args, .. } = job;
    let oldest = steps.first().map_or(1, |(version, _)| *version);
    let steps = steps.iter().map(|(version, upcaster)| {
        let k = job.krate_at(upcaster.span());
        quote_spanned!(upcaster.span()=> let __args = #k::__private::step(#upcaster, #version, __args)?;)
    });
    quote! {
        |__args| {
            let __args = #k::__private::old(#oldest, __args)?;
            #(#steps)*
            #k::__private::upcasted::<#args>(&__args)
        }
    }
}

fn code(job: &Job) -> TokenStream {
    let Job { krate: k, args, ctx, .. } = job;
    let needs = job.params.iter().filter_map(|param| need(job, param));
    let (unpacked, value) = (methods::unpacked(job), value(&job.output));
    let result = if job.function.is_async() {
        let (state, called) = (methods::state(job), methods::called(job));
        let encoded = encoded(job, &called);
        quote!(#state #encoded)
    } else {
        methods::blocking(job, |called| encoded(job, &called))
    };
    quote! {
        needs: &[#(#needs),*],
        output: #value,
        schema: #k::__private::schema::<#args>,
        check: #k::__private::check::<#args>,
        run: |#ctx, __args| ::std::boxed::Box::pin(async move {
            let #unpacked = #k::__private::decode(__args)?;
            #result
        }),
    }
}

/// The type that is stored: of a `Result`, what it holds when all went well.
fn value(output: &Type) -> String {
    let Type::Path(path) = output else { return spelled(output) };
    match path.path.segments.last() {
        Some(PathSegment { ident, arguments: PathArguments::AngleBracketed(inner) }) if ident == "Result" => {
            let first = inner.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(value) => Some(value),
                _ => None,
            });
            first.map_or_else(|| spelled(output), spelled)
        }
        _ => spelled(output),
    }
}

fn encoded(job: &Job, called: &TokenStream) -> TokenStream {
    let Job { krate: k, output, .. } = job;
    quote_spanned!(output.span()=> #k::__private::encode::<#output>(#called))
}

fn need(job: &Job, param: &Param) -> Option<TokenStream> {
    let Kind::State(held) = &param.kind else { return None };
    let (k, name) = (&job.krate, spelled(held));
    Some(quote!(#k::__private::Need { name: #name, held: |state| state.holds::<#held>() }))
}

fn backoff(job: &Job) -> TokenStream {
    let k = &job.krate;
    let variant = |name: TokenStream, millis: &u64| {
        let wait = duration(*millis);
        quote!(#k::Backoff::#name(#wait))
    };
    match &job.options.backoff {
        None | Some(Backoff::Polynomial) => quote!(#k::Backoff::Polynomial),
        Some(Backoff::Exponential(millis)) => variant(quote!(Exponential), millis),
        Some(Backoff::Linear(millis)) => variant(quote!(Linear), millis),
        Some(Backoff::Fixed(millis)) => variant(quote!(Fixed), millis),
        Some(Backoff::Custom(wait)) => quote_spanned!(wait.span()=> #k::Backoff::Custom(#wait)),
    }
}

fn keep(job: &Job) -> TokenStream {
    let k = &job.krate;
    option(job.options.keep.as_ref().map(|keep| match keep {
        Keep::Forever => quote!(#k::Keep::Forever),
        Keep::Millis(millis) => {
            let time = duration(*millis);
            quote!(#k::Keep::For(#time))
        }
    }))
}

fn duration(millis: u64) -> TokenStream {
    quote!(::core::time::Duration::from_millis(#millis))
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// The methods of `Job` whose defaults, the constants of `DEF`, do not hold for this job.
fn overrides(job: &Job) -> TokenStream {
    let options = job.options;
    [
        options.queue.as_ref().and_then(Choice::computed).map(|expr| queue(job, expr)),
        options.priority.as_ref().and_then(Choice::computed).map(|expr| priority(job, expr)),
        options.delay.as_ref().and_then(Choice::computed).map(|expr| delay(job, expr)),
        options.unique.as_ref().map(|expr| unique_key(job, expr)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn queue(job: &Job, expr: &Expr) -> TokenStream {
    let name = computed(job, expr, &quote!(_));
    let name = quote_spanned!(result_span(expr)=> ::core::convert::Into::into(#name));
    quote!(fn queue(&self) -> ::std::borrow::Cow<'static, str> { #name })
}

fn priority(job: &Job, expr: &Expr) -> TokenStream {
    let number = computed(job, expr, &quote!(i16));
    quote!(fn priority(&self) -> i16 { #number })
}

fn delay(job: &Job, expr: &Expr) -> TokenStream {
    let time = computed(job, expr, &quote!(::core::time::Duration));
    quote!(fn delay(&self) -> ::core::time::Duration { #time })
}

fn unique_key(job: &Job, expr: &Expr) -> TokenStream {
    let key = computed(job, expr, &quote!(::std::string::String));
    quote! {
        fn unique_key(&self) -> ::core::option::Option<::std::string::String> {
            ::core::option::Option::Some(#key)
        }
    }
}

/// Calls the user's closure or function with the job. A `fn` pointer gives the closure its types,
/// and a wrong result is reported where it is written.
fn computed(job: &Job, expr: &Expr, result: &TokenStream) -> TokenStream {
    let (args, pick) = (&job.args, Ident::new("pick", Span::mixed_site()));
    let coerced = quote_spanned!(expr.span()=> let #pick: fn(&#args) -> #result = #expr;);
    let called = quote!(#pick(self));
    quote_spanned!(result_span(expr)=> { #coerced #called })
}

fn result_span(expr: &Expr) -> Span {
    match expr {
        Expr::Closure(closure) => closure.body.span(),
        expr => expr.span(),
    }
}
