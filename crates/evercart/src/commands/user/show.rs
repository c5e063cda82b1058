//! A customer on the screen. Found by a former phone, they are shown without their present one: the
//! caller may be the person it was kept from.

use std::fmt::Write;

use evercart_core::phone::Phone;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{OneUser, User};
use crate::output;

use super::Found;

#[derive(Serialize)]
struct Shown<'a> {
    market: &'a str,
    id: i64,
    phone: String,
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
    left_phone_at: Option<Timestamp>,
    phone_held_until: Option<Timestamp>,
    frozen_at: Option<Timestamp>,
    former_phones: Vec<ShownFormer<'a>>,
    earlier_customers: Vec<ShownEarlier>,
}

#[derive(Serialize)]
struct ShownFormer<'a> {
    phone: &'a str,
    left_at: Timestamp,
}

#[derive(Serialize)]
struct ShownEarlier {
    id: i64,
    left_at: Timestamp,
}

fn phone_of(found: &Found) -> String {
    let phone: &Phone = &found.file.user.phone;
    match found.left {
        Some(_) => phone.masked(),
        None => phone.as_str().to_owned(),
    }
}

pub(super) fn show(
    market: &str,
    action: &User,
    one: &OneUser,
    found: &Found,
) -> anyhow::Result<()> {
    if one.json {
        return output::print_json(&shown(market, found));
    }
    let user = &found.file.user;
    let who = format!("Customer {} ({})", user.id, phone_of(found));
    match action {
        User::Show(_) => output::print(&sheet(market, &who, found)),
        User::Block(_) => output::print(&format!("{who} is blocked.\n")),
        User::Unblock(_) => {
            output::print(&format!("{who} is no longer blocked and can sign in.\n"))
        }
        User::SignOut(_) => output::print(&format!("{who} is signed out on every device.\n")),
        User::MoveBack(_) => output::print(&format!(
            "{who} has this phone again and can sign in. Every token of before is dead.\n"
        )),
        User::Export(_) | User::Import(_) => Ok(()),
        User::Erase(_) => output::print(&format!("{who} is erased. Orders stay for the books.\n")),
        User::ConfirmMove(_) => {
            output::print(&format!("{who} keeps this phone and can sign in.\n"))
        }
    }
}

fn shown<'a>(market: &'a str, found: &'a Found) -> Shown<'a> {
    let (file, user) = (&found.file, &found.file.user);
    let former = file.former_phones.iter();
    let earlier = found.earlier.iter();
    Shown {
        market,
        id: user.id.0,
        phone: phone_of(found),
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
        left_phone_at: found.left.as_ref().map(|left| left.at),
        phone_held_until: file.phone_change.held_until,
        frozen_at: file.phone_change.frozen.as_ref().map(|frozen| frozen.at),
        former_phones: former
            .map(|one| ShownFormer { phone: &one.masked, left_at: one.left_at })
            .collect(),
        earlier_customers: earlier
            .map(|one| ShownEarlier { id: one.file.user.id.0, left_at: one.left_at })
            .collect(),
    }
}

fn sheet(market: &str, who: &str, found: &Found) -> String {
    let (file, user) = (&found.file, &found.file.user);
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let time = |at: Option<Timestamp>| at.map_or_else(|| "–".to_owned(), |at| at.to_string());
    let state = match (user.blocked_at, &file.phone_change.frozen, user.is_active) {
        (Some(at), _, _) => format!("blocked since {at}"),
        (None, Some(frozen), _) => format!(
            "frozen since {}: the former phone stopped the change of phone; decide with user \
             move-back or user confirm-move",
            frozen.at
        ),
        (None, None, true) => "signed in".to_owned(),
        (None, None, false) => "signed out".to_owned(),
    };
    let mut sheet = format!(
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
    );
    // Writing to a String cannot fail.
    if let Some(left) = &found.left {
        let (phone, at) = (left.phone.as_str(), left.at);
        let _ = writeln!(sheet, "  found by    {phone}, the customer's phone until {at}");
    }
    if let Some(until) = file.phone_change.held_until {
        let _ =
            writeln!(sheet, "  on hold     until {until}: the former phone can stop the change");
    }
    for former in &file.former_phones {
        let _ = writeln!(sheet, "  had phone   {} until {}", former.masked, former.left_at);
    }
    for one in &found.earlier {
        let (id, at) = (one.file.user.id, one.left_at);
        let _ = writeln!(sheet, "  before      the phone was customer {id}'s until {at}");
    }
    sheet
}
