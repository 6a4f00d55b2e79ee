//! The annotated item: a function whose body stays raw tokens.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Result, ReturnType, Signature, Type, Visibility, parse_quote_spanned};

/// The body is never parsed: while it is half typed, the job must go on existing for its callers.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

impl Function {
    pub(crate) fn read(item: TokenStream) -> Result<Self> {
        let is_function = item.clone().into_iter().any(|token| is_ident(&token, "fn"));
        if is_function {
            syn::parse2(item)
        } else {
            Err(Error::new_spanned(
                item,
                "`#[job]` goes on a function: `async fn`, or `fn` for blocking work",
            ))
        }
    }

    pub(crate) fn is_async(&self) -> bool {
        self.sig.asyncness.is_some()
    }

    pub(crate) fn output(&self) -> Type {
        match &self.sig.output {
            ReturnType::Default => parse_quote_spanned!(self.sig.ident.span()=> ()),
            ReturnType::Type(_, output) => (**output).clone(),
        }
    }
}

impl Parse for Function {
    fn parse(input: ParseStream) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let (vis, sig) = (input.parse()?, input.parse()?);
        if !input.peek(syn::token::Brace) {
            return Err(input.error("a job needs a body: there is nothing else to run"));
        }
        Ok(Function { attrs, vis, sig, body: input.parse()? })
    }
}

fn is_ident(token: &TokenTree, text: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == text)
}
