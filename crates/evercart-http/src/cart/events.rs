//! `/cart/events`: the cart again whenever it changes, for as long as its customer is signed in.
//! What is sent is read from the store like any other request's answer, so a session that has ended
//! never sees a change.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use evercart_core::cart::Cart;
use evercart_core::error::StoreError;
use evercart_core::signals::CartWatch;
use evercart_core::token::TokenKeys;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::json;
use crate::connection::{self, Connection};
use crate::extract::{self, Customer};
use crate::openapi::{Read, ReadHeaders};
use crate::problem::{Answer, Code, Problem};
use crate::streams::{Entry, NoRoom, Unread};

/// How often a stream without events shows that it is alive. Proxies cut what is silent for longer,
/// many of them after 30 or 60 seconds.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(20);

/// The sign: a comment, which clients skip.
const SIGN_OF_LIFE: &[u8] = b":\n\n";

/// What a stream says when the server stops: come back, to another one or this one again.
const COME_BACK: &[u8] = b": the server stops\nretry: 1000\n\n";

/// When a cart that could not be read is read again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The name of the event that the client has seen last.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The cart's changes, as they happen
///
/// Server-sent events. `cart` carries the whole cart: one at once, and one for every change, from
/// whatever device or server; its id is the cart's version. With that id in `Last-Event-ID` the one
/// at the beginning is left out if nothing has changed. `signed_out` carries a `code`
/// (`signed_out`, `user_blocked`, `token_expired`, `token_invalid`) and a `detail`, and is the
/// last. If the stream ends without it, connect again.
///
/// The answer does not end by itself. Read it with a library for server-sent events; a generated
/// client that waits for whole answers must not call it. `x-internal` makes openapi-generator leave
/// it out; hey-api makes a stream of it.
#[utoipa::path(get, path = "/cart/events", tag = "Cart", security(("bearer" = [])),
    extensions(("x-internal" = json!(true))),
    params(ReadHeaders, ("Last-Event-ID" = Option<String>, Header,
        description = "The id of the last `cart` event that was seen")),
    responses((status = 200, description = "Events until the customer signs out", body = String,
               content_type = "text/event-stream"), Read))]
pub(crate) async fn cart_events(customer: Customer, request: Request) -> Answer {
    // Before the cart is read: what is changed afterwards is heard of.
    let watch = customer.store().watch_cart(customer.session().user_id);
    let cart = customer.store().cart(customer.session()).await?;
    // After it: a token that was signed out is refused before it can take its owner's places.
    let token: Arc<str> = extract::token(request.headers())?.into();
    let unread = unread(&customer, &token, connection::of(&request));
    let entry = customer.enter_stream(unread).map_err(no_room)?;
    let is_known = last_seen(request.headers()) == Some(cart.version);
    let first = match is_known {
        true => SIGN_OF_LIFE.into(),
        false => event(&cart, &customer),
    };
    let now = Instant::now();
    let ends_in = customer.expires_at().duration_since(customer.now());
    let keys = customer.shop().keys.current();
    // The token's key may have been removed while the cart was read.
    extract::verified_token(&token, customer.shop())?;
    let stream = Events {
        token,
        keys,
        ends_at: now + Duration::try_from(ends_in).unwrap_or_default(),
        alive_at: now + SIGN_OF_LIFE_EVERY,
        again_at: None,
        seen: cart.version,
        state: State::First(first),
        customer,
        watch,
        entry,
    };
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::VARY, "Authorization"),
        // Proxies of the nginx family would keep events back until they have a bufferful.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// How the session is looked at while the client takes nothing.
fn unread(customer: &Customer, token: &Arc<str>, connection: Option<Arc<Connection>>) -> Unread {
    let (customer, token) = (customer.clone(), Arc::clone(token));
    let may_go_on = move || -> BoxFuture<'static, bool> {
        let (customer, token) = (customer.clone(), Arc::clone(&token));
        Box::pin(async move {
            extract::verified_token(&token, customer.shop()).is_ok()
                && !matches!(
                    customer.store().cart(customer.session()).await,
                    Err(StoreError::Refused(_))
                )
        })
    };
    Unread { may_go_on: Box::new(may_go_on), connection }
}

fn last_seen(headers: &HeaderMap) -> Option<i64> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()?.trim().parse().ok()
}

fn no_room(why: NoRoom) -> Problem {
    let detail = match why {
        NoRoom::Full => "The shop has as many open streams as it takes. Try again in a moment.",
        NoRoom::CustomerFull => "You have as many open streams as one customer may have.",
        NoRoom::Closing => "The server stops. Try again in a moment.",
    };
    Problem::new(Code::Overloaded, detail)
}

fn event(cart: &Cart, customer: &Customer) -> Bytes {
    let data = json::write(cart, customer.currency());
    let mut out = format!("event: cart\nid: {}\ndata: ", cart.version).into_bytes();
    // JSON has no line breaks of its own, and escapes those in texts.
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\n\n");
    out.into()
}

/// Why there are no more events.
#[derive(Serialize)]
struct SignedOut<'a> {
    code: &'static str,
    detail: &'a str,
}

fn signed_out(problem: &Problem) -> Bytes {
    let json = SignedOut { code: problem.code().as_str(), detail: problem.detail() };
    let data = serde_json::to_string(&json).expect("strings are always JSON");
    format!("event: signed_out\ndata: {data}\n\n").into()
}

/// A stream while it is open. Polled by the connection's own task: it has none of its own.
struct Events {
    customer: Customer,
    token: Arc<str>,
    /// The keys that the token was verified with.
    keys: Arc<TokenKeys>,
    watch: CartWatch,
    entry: Entry,
    /// The version of the cart that was sent last.
    seen: i64,
    /// The token's end.
    ends_at: Instant,
    /// When the next sign of life is due.
    alive_at: Instant,
    /// When to read the cart though there was no word of it: the last time it could not be read.
    again_at: Option<Instant>,
    state: State,
}

enum State {
    /// What the stream begins with.
    First(Bytes),
    /// Nothing to do until there is word, or something is due.
    Waits,
    /// There was word.
    Reads(BoxFuture<'static, Result<Cart, StoreError>>),
    /// The last event was sent.
    Over,
}

impl Events {
    fn end(&mut self, last: Bytes) -> Option<Bytes> {
        self.state = State::Over;
        Some(last)
    }

    /// Why the token is no longer good, if it is not: its time is over, or its key was removed.
    fn token_ended(&mut self) -> Option<Problem> {
        let shop = self.customer.shop();
        let keys = shop.keys.current();
        if self.customer.now() < self.customer.expires_at() && Arc::ptr_eq(&keys, &self.keys) {
            return None;
        }
        let ended = extract::verified_token(&self.token, shop).err();
        self.keys = keys;
        ended
    }

    fn read(&self) -> State {
        let (store, session) = (self.customer.owned_store(), self.customer.session());
        State::Reads(Box::pin(async move { store.cart(session).await }))
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let waker = self.entry.waker(context.waker());
        let context = &mut Context::from_waker(&waker);
        let event = ready!(self.poll_next_event(context));
        if !matches!(self.state, State::Over) && self.watch.poll_changed(context).is_ready() {
            // The client may not take this event, and nobody ask for the next: the word of what
            // follows it must be heard all the same.
            self.again_at = Some(Instant::now());
            waker.wake();
        }
        Poll::Ready(event)
    }

    fn poll_next_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match &mut self.state {
                State::Over => return Poll::Ready(None),
                State::First(first) => {
                    let first = std::mem::take(first);
                    self.state = State::Waits;
                    return Poll::Ready(Some(first));
                }
                State::Reads(reading) => {
                    let read = ready!(reading.as_mut().poll(context));
                    self.state = State::Waits;
                    if let Some(event) = self.after_reading(read) {
                        return Poll::Ready(Some(event));
                    }
                }
                State::Waits => match ready!(self.poll_wait(context)) {
                    Some(event) => return Poll::Ready(Some(event)),
                    None => self.state = self.read(),
                },
            }
        }
    }

    /// The event that follows from what was read, if any does.
    fn after_reading(&mut self, read: Result<Cart, StoreError>) -> Option<Bytes> {
        // It may have ended while the cart was read.
        if let Some(ended) = self.token_ended() {
            return self.end(signed_out(&ended));
        }
        match read {
            Ok(cart) if cart.version == self.seen => None,
            Ok(cart) => {
                self.seen = cart.version;
                self.alive_at = Instant::now() + SIGN_OF_LIFE_EVERY;
                Some(event(&cart, &self.customer))
            }
            Err(StoreError::Refused(refused)) => self.end(signed_out(&refused.into())),
            Err(StoreError::Failed(failed)) => {
                tracing::debug!(%failed, "a changed cart could not be read; it is read again");
                self.again_at = Some(Instant::now() + AGAIN_AFTER);
                None
            }
        }
    }

    /// Ready with something to send, or with nothing if the cart is to be read.
    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(ended) = self.token_ended() {
            return Poll::Ready(self.end(signed_out(&ended)));
        }
        let now = Instant::now();
        if self.watch.poll_changed(context).is_ready() || self.again_at.is_some_and(|at| at <= now)
        {
            self.again_at = None;
            return Poll::Ready(None);
        }
        if self.alive_at <= now {
            self.alive_at = now + SIGN_OF_LIFE_EVERY;
            return Poll::Ready(Some(Bytes::from_static(SIGN_OF_LIFE)));
        }
        let due = self.alive_at.min(self.ends_at).min(self.again_at.unwrap_or(self.ends_at));
        match self.entry.wait(due) {
            true => Poll::Pending,
            false => Poll::Ready(self.end(Bytes::from_static(COME_BACK))),
        }
    }
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(context).map(|event| event.map(Ok))
    }
}
