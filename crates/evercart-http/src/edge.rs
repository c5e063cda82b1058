//! What happens to every request, whatever it is about: an id, a time limit, a net under panics,
//! the writing of problems, counting and one line in the log.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, ready};
use rand::RngExt;
use tower::{Layer, Service};

use crate::Shop;
use crate::abandoned::{Completed, log_panic};
use crate::admission::{self, Admission, Permit};
use crate::body;
use crate::connection::{self, Connection};
use crate::extract;
use crate::metrics::RouteMetrics;
use crate::problem::{Code, Form, Problem};
use crate::tally::LineLimit;

/// The header that names a request, in its answer, in the log and in a problem.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most lines a second about refusals of those who showed no good token. Anybody can have as
/// many refusals as they like, and a log that fills the disk stops the shop.
const ANONYMOUS_LINES_MAX: u32 = 20;

/// The most lines a second about one customer's refusals. Nobody meets as many by hand.
const CUSTOMER_LINES_MAX: u32 = 100;

/// Customers with the same rest of their id share a limit: it then takes no memory to speak of,
/// however many there are.
const CUSTOMER_LIMITS: i64 = 64;

/// Puts an edge around each route of a listener.
#[derive(Clone)]
pub(crate) struct EdgeLayer {
    listener: Arc<Listener>,
}

/// What the routes of a listener share.
struct Listener {
    shop: Arc<Shop>,
    /// `Strict-Transport-Security`, if it has one.
    strict_transport: Option<HeaderValue>,
    anonymous_lines: LineLimit,
    customers_lines: Vec<LineLimit>,
}

impl Listener {
    /// What limits the lines about a customer's refusals, or about those of nobody in particular.
    fn lines_of(&self, user_id: Option<i64>) -> &LineLimit {
        let place = user_id.and_then(|id| usize::try_from(id.rem_euclid(CUSTOMER_LIMITS)).ok());
        place.and_then(|place| self.customers_lines.get(place)).unwrap_or(&self.anonymous_lines)
    }
}

impl EdgeLayer {
    pub(crate) fn new(shop: Arc<Shop>, strict_transport: Option<Duration>) -> Self {
        let strict_transport = strict_transport.map(|age| {
            HeaderValue::from_str(&format!("max-age={}", age.as_secs())).expect("digits")
        });
        let anonymous_lines = LineLimit::new(ANONYMOUS_LINES_MAX);
        let customers = (0..CUSTOMER_LIMITS).map(|_| LineLimit::new(CUSTOMER_LINES_MAX));
        let customers_lines = customers.collect();
        let listener = Listener { shop, strict_transport, anonymous_lines, customers_lines };
        Self { listener: Arc::new(listener) }
    }
}

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;

    fn layer(&self, inner: S) -> Edge<S> {
        Edge { inner, listener: Arc::clone(&self.listener), metrics: Arc::default() }
    }
}

/// A route with its edge. Written by hand rather than stacked from ready-made layers: each of those
/// costs every request a box and a clone.
#[derive(Clone)]
pub(crate) struct Edge<S> {
    inner: S,
    listener: Arc<Listener>,
    /// Found once by the route's first request and shared by all clones of it.
    metrics: Arc<OnceLock<RouteMetrics>>,
}

impl<S> Service<Request> for Edge<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let seen = Seen::of(&request);
        let listener = Arc::clone(&self.listener);
        let metrics = Arc::clone(&self.metrics);
        let shop = &self.listener.shop;
        let counts =
            admission::counts(metrics.get_or_init(|| shop.metrics.route(route(&request))).route());
        let changes = !request.method().is_safe();
        if !request.body().is_end_stream() {
            let mut inner = self.inner.clone();
            return Box::pin(async move {
                let shop = &listener.shop;
                let answering = async {
                    let request = match body::take_in(request).await {
                        Ok(request) => request,
                        Err(problem) => return Ok(problem.into_response()),
                    };
                    // Not before the body is here: a slow sender must not take up room.
                    match counts.then(|| shop.admission.enter()) {
                        Some(None) => Ok(refused(&shop.admission).await),
                        permit => {
                            let answering = routed(&mut inner, request);
                            answer(answering, permit.flatten(), changes, shop).await
                        }
                    }
                };
                let response = bounded(answering, shop.request_timeout).await;
                hold_back(held_back(&response)).await;
                let metrics = metrics.get().expect("set before this future was made");
                Ok(seen.finish(response, metrics, &listener))
            });
        }
        let permit = match counts.then(|| shop.admission.enter()) {
            Some(None) => {
                return Box::pin(async move {
                    let response = refused(&listener.shop.admission).await;
                    let metrics = metrics.get().expect("set before this future was made");
                    Ok(seen.finish(response, metrics, &listener))
                });
            }
            permit => permit,
        };
        let answering = routed(&mut self.inner, request);
        Box::pin(async move {
            let shop = &listener.shop;
            let answering = answer(answering, permit.flatten(), changes, shop);
            let response = bounded(answering, shop.request_timeout).await;
            hold_back(held_back(&response)).await;
            let metrics = metrics.get().expect("set before this future was made");
            Ok(seen.finish(response, metrics, &listener))
        })
    }
}

/// False for an HTTP/1.1 request that RFC 9112 section 3.2 has refused: without `Host`, or with
/// more than one, so that a proxy may have read another one than we would.
fn names_one_host(request: &Request) -> bool {
    if request.version() != Version::HTTP_11 {
        return true;
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    hosts.next().is_some() && hosts.next().is_none()
}

/// Asks the route. Where two slashes stand in a row there is none: the router would take nothing at
/// all for an id.
fn routed<S>(
    inner: &mut S,
    request: Request,
) -> impl Future<Output = Result<Response, Infallible>> + Send + use<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send,
{
    if !names_one_host(&request) {
        let problem = Problem::new(
            Code::HostRequired,
            "An HTTP/1.1 request has one Host header, such as Host: shop.example.",
        );
        return Either::Left(ready(Ok(problem.into_response())));
    }
    if request.uri().path().contains("//") {
        return Either::Left(ready(Ok(Problem::not_found("path").into_response())));
    }
    Either::Right(inner.call(request))
}

/// The path pattern that matched; the same for all of a route's paths.
fn route(request: &Request) -> &str {
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let matched = matched.unwrap_or("unmatched");
    without_slash(
        matched.strip_prefix("/api/v1").filter(|rest| !rest.is_empty()).unwrap_or(matched),
    )
}

/// A path without the one slash that may stand behind it: the two lead to the same place.
pub(crate) fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path)
}

/// A mark on the answer to a request that found no room: the log has no line for it.
#[derive(Clone, Copy)]
struct Refused;

async fn refused(admission: &Admission) -> Response {
    let mut response = admission.refuse().await.into_response();
    response.extensions_mut().insert(Refused);
    response
}

/// Runs a handler. One that changes something runs to its end, though its client hangs up or its
/// time is over, and takes up its room until then; one that reads ends with its client.
async fn answer(
    answering: impl Future<Output = Result<Response, Infallible>> + Send + 'static,
    permit: Option<Permit>,
    changes: bool,
    shop: &Shop,
) -> Result<Response, Infallible> {
    let answering = async move {
        let response = answering.await;
        drop(permit);
        response
    };
    if changes {
        Completed::new(Box::pin(answering), &shop.abandoned).await
    } else {
        answering.await
    }
}

/// How long an answer is kept back.
fn held_back(response: &Response) -> Duration {
    let problem = response.extensions().get::<Problem>();
    problem.map_or(Duration::ZERO, Problem::held_back)
}

/// Keeps an answer back. By now its request holds nothing that others wait for: no room, no
/// connection, no turn of a writer.
async fn hold_back(by: Duration) {
    if by > Duration::ZERO {
        tokio::time::sleep(by).await;
    }
}

/// Waits for the answer, but not for ever, and not for a handler that panicked.
async fn bounded(
    answering: impl Future<Output = Result<Response, Infallible>>,
    timeout: Duration,
) -> Response {
    let caught = AssertUnwindSafe(answering).catch_unwind();
    match tokio::time::timeout(timeout, caught).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Err(panic)) => {
            log_panic(&*panic);
            Problem::internal().into_response()
        }
        Err(_) => Problem::new(
            Code::Overloaded,
            "This takes longer than it should. Try again in a moment; a change is safe to repeat \
             with the same Idempotency-Key.",
        )
        .into_response(),
    }
}

/// What is remembered of a request until it is answered.
struct Seen {
    request_id: HeaderValue,
    method: Method,
    authorization: Option<HeaderValue>,
    /// How a problem is to be written.
    form: Form,
    /// The connection, if it does not show by itself what its client takes.
    connection: Option<Arc<Connection>>,
    started: Instant,
}

impl Seen {
    fn of(request: &Request) -> Self {
        Self {
            request_id: request_id(request.headers()),
            method: request.method().clone(),
            authorization: request.headers().get(header::AUTHORIZATION).cloned(),
            form: Form::asked_for(request.headers()),
            connection: connection::to_pace(request),
            started: Instant::now(),
        }
    }

    fn finish(
        self,
        mut response: Response,
        metrics: &RouteMetrics,
        listener: &Listener,
    ) -> Response {
        let problem = response.extensions_mut().remove::<Problem>();
        if let Some(problem) = &problem {
            response = problem.write(self.id(), self.form, response);
        }
        let took = self.started.elapsed();
        let status = response.status();
        metrics.answered(method_label(&self.method), status.as_u16(), took);
        if response.extensions_mut().remove::<Refused>().is_none() {
            self.log(status, problem.as_ref(), metrics.route(), took, listener);
        }
        if let Some(connection) = &self.connection {
            response = connection::pace(response, connection);
        }
        let headers = response.headers_mut();
        if let Some(value) = &listener.strict_transport {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, value.clone());
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REQUEST_ID, self.request_id);
        response
    }

    fn id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// One line for each request, or a sample of those that anybody can cause; nothing in it is the
    /// customer's but their id.
    fn log(
        &self,
        status: StatusCode,
        problem: Option<&Problem>,
        route: &str,
        took: Duration,
        listener: &Listener,
    ) {
        let shop = &*listener.shop;
        // To the microsecond: more digits only make the line harder to read.
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        macro_rules! line {
            ($level:ident, $user_id:expr) => {
                tracing::event!(
                    tracing::Level::$level,
                    method = self.method.as_str(),
                    route,
                    status = status.as_u16(),
                    duration_ms = f64::from(micros) / 1000.0,
                    request_id = self.id(),
                    user_id = $user_id,
                    code = problem.map(|problem| problem.code().as_str()),
                    "answered"
                )
            };
        }
        // Anybody can have as many of these as they like; the metrics count them.
        let is_crowd = problem.is_some_and(|problem| problem.code() == Code::CatalogueBusy);
        if status.is_server_error() && !is_crowd {
            line!(ERROR, self.user_id(shop));
        } else if status.is_client_error() {
            if !tracing::enabled!(tracing::Level::INFO) {
                return;
            }
            let user_id = self.user_id(shop);
            if !listener.lines_of(user_id).admits(say_left_out) {
                shop.metrics.line_left_out();
                return;
            }
            line!(INFO, user_id);
        } else {
            line!(DEBUG, self.user_id(shop));
        }
    }

    /// Whose token came with the request. Read again, and only where a line is written: carrying it
    /// out of every handler would cost the others more.
    fn user_id(&self, shop: &Shop) -> Option<i64> {
        let mut headers = HeaderMap::with_capacity(1);
        headers.insert(header::AUTHORIZATION, self.authorization.clone()?);
        Some(extract::verified(&headers, shop).ok()?.session.user_id.0)
    }
}

fn say_left_out(lines: u64) {
    tracing::info!(
        lines,
        "more requests of one customer, or without a good token, were refused than the log has \
         lines for; evercart_requests_total counts all"
    );
}

/// The client's own id if it is harmless in a log, else a new UUID.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    if let Some(given) = headers.get(&REQUEST_ID) {
        let harmless = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
        if (1..=128).contains(&given.len()) && given.as_bytes().iter().all(harmless) {
            return given.clone();
        }
    }
    let id = uuid::Builder::from_random_bytes(rand::rng().random()).into_uuid();
    let mut buffer = uuid::Uuid::encode_buffer();
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut buffer))
        .expect("a UUID's text is a header value")
}

/// The method as a label: what a client can make up is one of a fixed set.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_harmless_request_id_is_taken_over() {
        let id = |given: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(given).expect("a value"));
            request_id(&headers)
        };
        assert_eq!(id(b"checkout-7.a_B"), "checkout-7.a_B");
        for bad in [&b""[..], &[b'x'; 129], b"a b", b"a\"b", "ä".as_bytes(), b"${jndi}"] {
            let made = id(bad);
            assert_eq!(made.len(), 36, "{bad:?}");
        }
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
