//! `evercart user …`: what an operator does for, or about, one customer.

use evercart_core::error::{Refused, Result as StoreResult, StoreError};
use evercart_core::operator::UserFile;
use evercart_core::phone::Phone;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{OneUser, User};
use crate::config::Settings;
use crate::failure::Failure;
use crate::stores::Opened;
use crate::{output, stores};

#[derive(Serialize)]
struct Shown<'a> {
    market: &'a str,
    id: i64,
    phone: &'a str,
    full_name: Option<&'a str>,
    email: Option<&'a str>,
    language: Option<&'a str>,
    is_active: bool,
    blocked_at: Option<Timestamp>,
    last_login: Option<Timestamp>,
    created_at: Timestamp,
    cart_lines: u64,
    wishes: u64,
    orders: u64,
}

/// Does it and shows the customer as they are then.
///
/// # Errors
/// No such customer, or the store failed.
pub async fn run(settings: &Settings, action: &User) -> anyhow::Result<()> {
    let (User::Show(one) | User::Block(one) | User::Unblock(one) | User::SignOut(one)) = action;
    let market = stores::market(settings, one.market.market.as_deref())?;
    let phone = Phone::parse(&one.phone, Some(&market.region))
        .map_err(|rule| Failure::used_wrongly(format!("{:?} {rule}", one.phone)))?;
    let file = stores::with(&settings.storage, &market.name, async |store| {
        act(store, action, &phone).await.map_err(|error| match error {
            StoreError::Refused(Refused::NotFound { .. }) => Failure::new(format!(
                "there is no customer with the phone {} in market {}",
                phone.as_str(),
                market.name
            ))
            .into(),
            error => stores::failed(error),
        })
    });
    show(market.name.as_str(), action, one, &file.await?)
}

async fn act(store: &dyn Opened, action: &User, phone: &Phone) -> StoreResult<UserFile> {
    match action {
        User::Show(_) => {}
        User::Block(_) => drop(store.block_user(phone.clone()).await?),
        User::Unblock(_) => drop(store.unblock_user(phone.clone()).await?),
        User::SignOut(_) => drop(store.sign_user_out(phone.clone()).await?),
    }
    store.find_user(phone.clone()).await
}

fn show(market: &str, action: &User, one: &OneUser, file: &UserFile) -> anyhow::Result<()> {
    let user = &file.user;
    if one.json {
        return output::print_json(&Shown {
            market,
            id: user.id.0,
            phone: user.phone.as_str(),
            full_name: user.full_name.as_deref(),
            email: user.email.as_deref(),
            language: user.language.as_deref(),
            is_active: user.is_active,
            blocked_at: user.blocked_at,
            last_login: user.last_login,
            created_at: user.created_at,
            cart_lines: file.cart_lines,
            wishes: file.wishes,
            orders: file.orders,
        });
    }
    let who = format!("Customer {} ({})", user.id, user.phone.as_str());
    match action {
        User::Show(_) => {}
        User::Block(_) => return output::print(&format!("{who} is blocked.\n")),
        User::Unblock(_) => {
            return output::print(&format!("{who} is no longer blocked and can sign in.\n"));
        }
        User::SignOut(_) => {
            return output::print(&format!("{who} is signed out on every device.\n"));
        }
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let time = |at: Option<Timestamp>| at.map_or_else(|| "–".to_owned(), |at| at.to_string());
    let state = match (user.blocked_at, user.is_active) {
        (Some(at), _) => format!("blocked since {at}"),
        (None, true) => "signed in".to_owned(),
        (None, false) => "signed out".to_owned(),
    };
    output::print(&format!(
        "{who} in market {market}\n  name        {}\n  email       {}\n  state       {state}\n  \
         last login  {}\n  since       {}\n  cart lines  {}\n  wishes      {}\n  \
         orders      {}\n",
        text(&user.full_name),
        text(&user.email),
        time(user.last_login),
        user.created_at,
        file.cart_lines,
        file.wishes,
        file.orders,
    ))
}
