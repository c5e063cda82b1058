//! `/auth/profile`: what the shop knows of a customer, and what they may change of it.

use axum::http::StatusCode;
use axum::http::Uri;
use axum::response::Response;
use evercart_core::market::Market;
use evercart_core::user::{ProfileChange, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::Fields;
use crate::cart::replayed;
use crate::extract::Customer;
use crate::guard::Mutation;
use crate::json::{Audience, Utc, answer};
use crate::openapi::{ChangeHeaders, ChangeWithBody, Read, ReadHeaders, TooMany, examples};
use crate::order::{EMAIL_MAX, read_email};
use crate::problem::Answer;

/// The most characters of a name.
const NAME_MAX: usize = 120;
/// The most characters of a URL.
const URL_MAX: usize = 2048;
/// The most characters of a language tag.
const LANGUAGE_MAX: usize = 35;

/// What the shop knows of a customer.
#[derive(Serialize, ToSchema)]
#[schema(example = examples::profile)]
pub(crate) struct Profile<'a> {
    #[schema(example = 19)]
    id: i64,
    #[schema(example = "+13128059851")]
    phone_number: &'a str,
    #[schema(example = "+1 312-805-9851")]
    formatted_phone: String,
    /// The full name, empty if there is none.
    name: &'a str,
    #[schema(required = true)]
    full_name: Option<&'a str>,
    #[schema(required = true)]
    email: Option<&'a str>,
    #[schema(required = true)]
    profile_image_url: Option<&'a str>,
    is_active: bool,
    /// True: whoever signed in has shown that the phone is theirs.
    is_verified: bool,
    #[schema(example = "us")]
    market: &'a str,
    /// The chosen language, else the market's.
    #[schema(example = "en")]
    language: &'a str,
    #[schema(example = "United States")]
    country: &'a str,
    #[schema(example = "USD")]
    currency: &'static str,
    #[schema(example = "USD")]
    currency_code: &'static str,
    #[schema(required = true)]
    last_login: Option<Utc>,
    created_at: Utc,
}

impl<'a> Profile<'a> {
    pub(crate) fn of(user: &'a User, market: &'a Market) -> Self {
        Self {
            id: user.id.0,
            phone_number: user.phone.as_str(),
            formatted_phone: user.phone.formatted(),
            name: user.full_name.as_deref().unwrap_or_default(),
            full_name: user.full_name.as_deref(),
            email: user.email.as_deref(),
            profile_image_url: user.profile_image_url.as_deref(),
            is_active: user.is_active,
            is_verified: true,
            market: market.name.as_str(),
            language: user.language.as_deref().unwrap_or(market.language()),
            country: &market.country,
            currency: market.currency.code(),
            currency_code: market.currency.code(),
            last_login: user.last_login.map(Utc),
            created_at: Utc(user.created_at),
        }
    }
}

fn written(user: &User, market: &Market) -> Response {
    answer(StatusCode::OK, Audience::Customer, &Profile::of(user, market))
}

/// What to change of the profile. What is left out stays, null empties.
#[derive(ToSchema)]
#[schema(as = ProfileChange)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct ProfileBody {
    #[schema(example = "Jo Miller", max_length = 120)]
    full_name: Option<String>,
    #[schema(example = "jo@example.com", max_length = 254, format = Email)]
    email: Option<String>,
    /// An `https` or `http` URL.
    #[schema(max_length = 2048, format = "uri", pattern = "^https?://")]
    profile_image_url: Option<String>,
    /// One of the market's languages.
    language: Option<String>,
}

fn read_change(fields: &mut Fields<'_>, market: &Market) -> ProfileChange {
    let full_name = fields.text_change("full_name", NAME_MAX);
    let mut change = |field, characters_max, read: &dyn Fn(&str) -> Result<String, String>| {
        fields.mentions(field).then(|| fields.optional(field, characters_max, read))
    };
    ProfileChange {
        full_name,
        email: change("email", EMAIL_MAX, &|text| read_email(text).map_err(str::to_owned)),
        profile_image_url: change("profile_image_url", URL_MAX, &|text| {
            if is_web_url(text) {
                Ok(text.to_owned())
            } else {
                Err("must be a URL that starts with https:// or http://".to_owned())
            }
        }),
        language: change("language", LANGUAGE_MAX, &|text| {
            let known = market.languages.iter().find(|known| known.eq_ignore_ascii_case(text));
            known.cloned().ok_or_else(|| format!("must be one of {}", market.languages.join(", ")))
        }),
    }
}

fn is_web_url(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("https" | "http"))
            && uri.authority().is_some_and(|authority| {
                // A name and password in a picture's address are nobody's business.
                !authority.host().is_empty() && !authority.as_str().contains('@')
            })
    })
}

/// The profile
#[utoipa::path(get, path = "/auth/profile", tag = "Profile", security(("bearer" = [])),
    params(ReadHeaders),
    responses((status = 200, description = "The profile", body = Profile), Read))]
pub(crate) async fn get_profile(customer: Customer) -> Answer {
    let user = customer.store().user(customer.session()).await?;
    Ok(written(&user, customer.market()))
}

/// Change the profile
#[utoipa::path(put, path = "/auth/profile", tag = "Profile", security(("bearer" = [])),
    params(ChangeHeaders), request_body = ProfileBody,
    responses((status = 200, description = "The profile after it", body = Profile),
              ChangeWithBody, TooMany))]
pub(crate) async fn change_profile(customer: Customer, request: Mutation) -> Answer {
    let change = request.json(|fields| read_change(fields, customer.market()))?;
    let store = customer.store();
    let done = store.change_profile(customer.session(), change, request.guard()).await?;
    Ok(replayed(done.replayed, written(&done.value, customer.market())))
}

/// Change the profile (as `PUT /auth/profile`)
#[utoipa::path(patch, path = "/auth/profile", tag = "Profile", security(("bearer" = [])),
    params(ChangeHeaders), request_body = ProfileBody,
    responses((status = 200, description = "The profile after it", body = Profile),
              ChangeWithBody, TooMany))]
pub(crate) async fn patch_profile(customer: Customer, request: Mutation) -> Answer {
    change_profile(customer, request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_pictures() {
        for good in ["https://example.com/me.png", "http://localhost:8080/x?y", "HTTPS://a.b/"] {
            assert!(is_web_url(good), "{good}");
        }
        for bad in [
            "",
            "me.png",
            "/me.png",
            "ftp://example.com/x",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://a b/",
            "data:image/png;base64,AA",
            "https://u:p@example.com/",
        ] {
            assert!(!is_web_url(bad), "{bad}");
        }
    }
}
