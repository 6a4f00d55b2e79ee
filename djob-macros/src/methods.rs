//! What callers see: the methods of the handle and of the arguments struct.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::expand::Job;
use crate::param::{Kind, Param};

pub(crate) fn expand(job: &Job) -> TokenStream {
    let (handle, args) = (of_handle(job), of_args(job));
    quote!(#handle #args)
}

fn of_handle(job: &Job) -> TokenStream {
    let Job { krate: k, args, output, ctx, .. } = job;
    let (name, vis) = (job.name(), &job.function.vis);
    let [now, def] = ["perform_now", "def"].map(|text| job.at_name(text));
    let takes: Vec<_> = job.params.iter().filter_map(taken).collect();
    let given: Vec<_> = job.params.iter().filter_map(given).collect();
    let (call, summary) = (call(job), job.summary());
    let later = perform_later(job, &takes, &quote!(#args { #(#given),* }));
    quote! {
        impl #name {
            #(#summary)*
            ///
            /// The job is stored when the returned builder is awaited.
            #later

            /// Run the job here and now, as a worker would: arguments are validated, stored as JSON
            /// and read back; state comes from the context.
            #vis async fn #now(
                self, #ctx: &#k::JobContext, #(#takes),*
            ) -> ::core::result::Result<#output, #k::JobError> {
                #args { #(#given),* }.#now(#ctx).await
            }

            #call

            /// What is known of the job before it runs: its kind, queue, options and schema.
            #vis fn #def(self) -> &'static #k::JobDef {
                <#args as #k::Job>::DEF
            }
        }
    }
}

/// Enqueues the arguments struct that the expression `made` makes. All of it is spanned at the
/// result type, which has to keep the bound of `Enqueue`'s second parameter.
fn perform_later(job: &Job, takes: &[TokenStream], made: &TokenStream) -> TokenStream {
    let Job { args, output, .. } = job;
    let k = job.krate_at(output.span());
    let (vis, name, this) = (&job.function.vis, job.at_name("perform_later"), quote!(self));
    quote_spanned! {output.span()=>
        #vis fn #name(#this, #(#takes),*) -> #k::Enqueue<#args, <#output as #k::IntoJobResult>::Value> {
            #k::Enqueue::new(#made)
        }
    }
}

/// The function with its own parameters, for direct calls in tests and from other jobs.
fn call(job: &Job) -> TokenStream {
    let Job { inner, output, .. } = job;
    let (vis, call) = (&job.function.vis, job.at_name("call"));
    let idents: Vec<_> = job.params.iter().map(|param| &param.ident).collect();
    let types = job.params.iter().map(|param| &param.ty);
    let asyncness = &job.function.sig.asyncness;
    let awaited = job.function.is_async().then(|| quote!(.await));
    quote! {
        /// The function itself: no queue, no JSON, no validation.
        #vis #asyncness fn #call(self, #(#idents: #types),*) -> #output {
            #inner(#(#idents),*) #awaited
        }
    }
}

fn of_args(job: &Job) -> TokenStream {
    let Job { krate: k, args, output, ctx, .. } = job;
    let (vis, now) = (&job.function.vis, job.at_name("perform_now"));
    let later = perform_later(job, &[], &quote!(self));
    let unpacked = unpacked(job);
    let result = if job.function.is_async() {
        let (state, called) = (state(job), called(job));
        quote!(#state ::core::result::Result::Ok(#called))
    } else {
        blocking(job, |called| quote!(::core::result::Result::<#output, #k::JobError>::Ok(#called)))
    };
    quote! {
        impl #args {
            /// Enqueue these arguments, once the returned builder is awaited.
            #later

            /// Run the job with these arguments here and now, as a worker would.
            #vis async fn #now(
                self, #ctx: &#k::JobContext,
            ) -> ::core::result::Result<#output, #k::JobError> {
                let #unpacked = #k::__private::round_trip(self)?;
                #result
            }
        }
    }
}

/// The pattern that takes the arguments out of their struct, under the function's own names.
pub(crate) fn unpacked(job: &Job) -> TokenStream {
    let bindings = job.params.iter().filter_map(|param| {
        let (key, ident) = (param.key()?, &param.ident);
        Some(if key == ident { quote!(#key) } else { quote!(#key: #ident) })
    });
    let args = &job.args;
    quote!(#args { #(#bindings),* })
}

/// The statements that borrow the job's state from the context.
pub(crate) fn state(job: &Job) -> TokenStream {
    let ctx = &job.ctx;
    let borrowed = job.params.iter().filter_map(|param| match &param.kind {
        Kind::State(held) => Some((&param.ident, held)),
        _ => None,
    });
    borrowed.map(|(ident, held)| quote!(let #ident: &#held = #ctx.state::<#held>()?;)).collect()
}

/// The call of the function; of an async one, awaited. A `!Send` body is reported at its name.
pub(crate) fn called(job: &Job) -> TokenStream {
    let Job { krate: k, inner, ctx, .. } = job;
    let passed = job.params.iter().map(|param| passed(param, ctx));
    let span = job.name().span();
    let call = quote_spanned!(span=> #inner(#(#passed),*));
    if job.function.is_async() {
        quote_spanned!(span=> #k::__private::require_send(#call).await)
    } else {
        call
    }
}

/// Runs a sync function on the blocking pool, which needs a context of its own.
pub(crate) fn blocking(job: &Job, finish: impl FnOnce(TokenStream) -> TokenStream) -> TokenStream {
    let Job { krate: k, ctx, .. } = job;
    let (state, finished) = (state(job), finish(called(job)));
    quote! {
        let #ctx = ::core::clone::Clone::clone(#ctx);
        #k::__private::blocking(move || {
            let #ctx = &#ctx;
            #state
            #finished
        }).await?
    }
}

/// A parameter of `perform_later`: the argument by its stored name.
fn taken(param: &Param) -> Option<TokenStream> {
    let (key, ty) = (param.key()?, &param.ty);
    Some(quote!(#key: #ty))
}

/// The field that stores it.
fn given(param: &Param) -> Option<TokenStream> {
    match &param.kind {
        Kind::Argument { key, borrowed: true, .. } => {
            Some(quote_spanned!(param.ty.span()=> #key: ::std::borrow::ToOwned::to_owned(#key)))
        }
        Kind::Argument { key, .. } => Some(quote!(#key)),
        _ => None,
    }
}

fn passed(param: &Param, ctx: &Ident) -> TokenStream {
    let ident = &param.ident;
    match &param.kind {
        Kind::Context => {
            let ctx = Ident::new(&ctx.to_string(), ctx.span().located_at(param.ty.span()));
            quote!(#ctx)
        }
        Kind::Argument { borrowed: true, .. } => quote!(&#ident),
        _ => quote!(#ident),
    }
}
