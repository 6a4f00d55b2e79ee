//! What a job becomes. The order matters: editors follow the first item that carries a span, and
//! the compiler reports the first error first.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Type};

use crate::attr::Options;
use crate::input::Function;
use crate::param::{Kind, Param};
use crate::{def, methods, name};

/// A function that keeps every rule, and the names of what is made from it.
pub(crate) struct Job<'a> {
    pub(crate) function: &'a Function,
    pub(crate) options: &'a Options,
    pub(crate) params: &'a [Param],
    /// The path of djob.
    pub(crate) krate: TokenStream,
    /// The renamed function.
    pub(crate) inner: Ident,
    /// The struct of the stored arguments.
    pub(crate) args: Ident,
    pub(crate) output: Type,
    /// The context, where generated code holds it. Hygienic: a parameter may have the same name.
    pub(crate) ctx: Ident,
}

impl<'a> Job<'a> {
    pub(crate) fn new(function: &'a Function, options: &'a Options, params: &'a [Param]) -> Self {
        let name = &function.sig.ident;
        Job {
            function,
            options,
            params,
            krate: options.krate.as_ref().map_or_else(|| quote!(::djob), ToTokens::to_token_stream),
            inner: format_ident!("__djob_{}", name.unraw(), span = name.span()),
            // `args = the_function` is reported, and must not define one name twice.
            args: options.args.clone().filter(|args| args != name).unwrap_or_else(|| name::args_struct(name)),
            output: function.output(),
            ctx: Ident::new("ctx", Span::mixed_site()),
        }
    }

    pub(crate) fn name(&self) -> &Ident {
        &self.function.sig.ident
    }

    /// An identifier that leads to the user's function.
    pub(crate) fn at_name(&self, text: &str) -> Ident {
        Ident::new(text, self.name().span())
    }

    /// The path of djob, spanned where a mistake about what follows it should be reported.
    pub(crate) fn krate_at(&self, span: Span) -> TokenStream {
        let respanned = |mut token: TokenTree| {
            token.set_span(span);
            token
        };
        self.krate.clone().into_iter().map(respanned).collect()
    }

    pub(crate) fn expand(&self) -> TokenStream {
        let function = self.renamed_function();
        let assertions = self.assertions();
        let (handle, args) = (self.handle(), self.args_struct());
        let (methods, job) = (methods::expand(self), def::expand(self));
        let allowed = self.allowed();
        quote! {
            #function
            const _: () = { #assertions };
            #handle
            #args
            #(#allowed)*
            #[allow(dead_code, deprecated, missing_docs, unreachable_pub, unused_variables)]
            #[allow(clippy::all, clippy::nursery, clippy::pedantic)]
            const _: () = { #methods #job };
        }
    }

    /// Renamed rather than nested, so that its own name means the handle inside its body too.
    fn renamed_function(&self) -> TokenStream {
        let Function { attrs, sig, body, .. } = self.function;
        let attrs = attrs.iter().filter(|attr| !is_for_handle(attr));
        let sig = syn::Signature { ident: self.inner.clone(), ..sig.clone() };
        quote! {
            #[doc(hidden)]
            #[allow(clippy::missing_const_for_fn, clippy::too_many_arguments, clippy::unused_async)]
            #(#attrs)*
            #sig #body
        }
    }

    /// Bounds spanned at the types the user wrote, ahead of the derives that need them too.
    fn assertions(&self) -> TokenStream {
        let output = self.assertion("assert_output", &self.output, self.output.span());
        self.params.iter().map(|param| self.param_assertions(param)).chain([output]).collect()
    }

    fn param_assertions(&self, param: &Param) -> TokenStream {
        match &param.kind {
            Kind::Context => TokenStream::new(),
            Kind::State(held) => self.assertion("assert_state", held, held.span()),
            Kind::Argument { stored, .. } => {
                let span = param.ty.span();
                let storable = self.assertion("assert_arg", stored, span);
                let valid = param.validators().filter(|name| COMMON.iter().any(|common| name == common));
                let valid = valid.map(|name| self.assertion(&format!("assert_{name}"), stored, span));
                [storable].into_iter().chain(valid).collect()
            }
        }
    }

    fn assertion(&self, name: &str, ty: &Type, span: Span) -> TokenStream {
        let (k, name) = (&self.krate, Ident::new(name, span));
        quote_spanned!(span=> #k::__private::#name::<#ty>();)
    }

    fn handle(&self) -> TokenStream {
        let Function { attrs, vis, .. } = self.function;
        let (name, attrs) = (self.name(), attrs.iter().filter(|attr| is_for_handle(attr)));
        let allowed = self.allowed();
        let item = quote_spanned!(name.span()=> #vis struct #name;);
        quote! {
            #(#attrs)*
            #(#allowed)*
            #[allow(non_camel_case_types, dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #item
        }
    }

    /// Without `Debug`: arguments are personal data until proven otherwise.
    fn args_struct(&self) -> TokenStream {
        let (k, args, vis) = (&self.krate, &self.args, &self.function.vis);
        let doc = format!("The arguments of the job `{}`.", self.name().unraw());
        let [serde, schemars, validator] = ["serde", "schemars", "validator"]
            .map(|module| format!("{k}::__private::{module}").replace(' ', ""));
        let strict = self.options.strict.then(|| quote!(, deny_unknown_fields));
        let fields = self.params.iter().filter_map(|param| field(param, vis));
        let allowed = self.allowed();
        let item = quote_spanned!(args.span()=> #vis struct #args { #(#fields),* });
        quote! {
            #[doc = #doc]
            #(#allowed)*
            #[allow(dead_code, missing_docs, unreachable_pub)]
            #[derive(
                #k::__private::serde::Serialize, #k::__private::serde::Deserialize,
                #k::__private::schemars::JsonSchema, #k::__private::validator::Validate,
            )]
            #[serde(crate = #serde #strict)]
            #[schemars(crate = #schemars, deny_unknown_fields)]
            #[validate(crate = #validator)]
            #item
        }
    }

    /// The lints the user allows on the function, whose signature is repeated in generated items.
    fn allowed(&self) -> Vec<&Attribute> {
        self.function.attrs.iter().filter(|attr| attr.path().is_ident("allow")).collect()
    }

    /// Doc comments up to the first empty line. A doc-test that was copied would run once per copy.
    pub(crate) fn summary(&self) -> impl Iterator<Item = &Attribute> {
        let docs = self.function.attrs.iter().filter(|attr| attr.path().is_ident("doc"));
        docs.take_while(|attr| doc_text(attr).is_some_and(|text| !text.trim().is_empty()))
    }
}

/// Validators whose bound has an assertion of its own; the derive reports the others at `#[job]`.
const COMMON: [&str; 4] = ["email", "url", "length", "range"];

/// What describes the job to its callers goes to the handle; the rest stays with the function.
fn is_for_handle(attr: &Attribute) -> bool {
    attr.path().is_ident("doc") || attr.path().is_ident("deprecated")
}

fn doc_text(attr: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attr.meta else { return None };
    match &meta.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

fn field(param: &Param, vis: &syn::Visibility) -> Option<TokenStream> {
    let Kind::Argument { key, stored, .. } = &param.kind else { return None };
    let attrs = &param.attrs;
    Some(quote!(#(#attrs)* #vis #key: #stored))
}
