//! Signing in with a password, and making the first local user with the first-run code.

use http::Method;
use trunkline_api::{Hidden, LocalSignIn, SetUp, SignInMethods, SignedIn};

use super::secret::{self, Wanted};
use crate::cli::LoginArgs;
use crate::exit::{Exit, Failure};
use crate::rest::Rest;
use crate::sign_in::Kept;

pub(super) async fn sign_in(args: &LoginArgs, rest: &Rest, methods: &SignInMethods) -> anyhow::Result<Kept> {
    if !methods.local {
        return Err(Failure::new(Exit::Usage, "the gateway has no local users").into());
    }
    let password = |twice| Wanted { what: "password", file: args.password_file.clone(), twice };
    let signed_in: SignedIn = if args.setup {
        if !methods.setup {
            let what = "the gateway waits for no first-run code: it was used, or has ended";
            return Err(Failure::new(Exit::Failed, what).into());
        }
        let code = Wanted { what: "first-run code", file: args.code_file.clone(), twice: false };
        let code = secret::read(code).await?;
        let password = secret::read(password(true)).await?;
        let user = args.user.clone().unwrap_or_else(|| "admin".into());
        let body = SetUp { code: Hidden(code), user, password: Hidden(password), token: true };
        rest.send(Method::POST, "/auth/setup", &body).await?
    } else {
        let user = args.user.clone().unwrap_or_default();
        let password = secret::read(password(false)).await?;
        let body = LocalSignIn { user, password: Hidden(password), token: true };
        rest.send(Method::POST, "/auth/local", &body).await?
    };
    let Hidden(token) = signed_in
        .token
        .ok_or_else(|| Failure::new(Exit::Failed, "the gateway gave no token; is it of this version?"))?;
    Ok(Kept { token, ends: signed_in.expires, renewal: None })
}
