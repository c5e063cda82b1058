//! One connection of a client to a server, and exactly what became of each request: not sent, no
//! answer, or an answer.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a connection may take. It is one on this machine.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// What became of a request.
pub enum Came {
    /// No byte of it has left.
    NotSent,
    /// It may have arrived, and may still be done.
    Nothing(String),
    /// The whole answer.
    Answer(Answer),
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body, or null if it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A request that can be sent as often as one likes.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// GET, POST and so on.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Option<Value>,
}

impl Letter {
    /// A request with a JSON body, or none.
    pub fn new(method: &'static str, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    fn request(&self, address: SocketAddr) -> Request<Full<Bytes>> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(&self.path)
            .header("host", address.to_string());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let body = self.body.as_ref().map(Value::to_string);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        request.body(body).expect("a path, headers and a body of ours are a request")
    }
}

/// A connection, made when it is needed.
#[derive(Default)]
pub struct Connection {
    open: Option<Open>,
}

struct Open {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    carrier: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

impl Connection {
    /// Sends a request and waits so long for the answer. A client that gives up hangs up, too.
    pub async fn ask(&mut self, address: SocketAddr, letter: &Letter, patience: Duration) -> Came {
        let mut open = match self.connect(address).await {
            Ok(open) => open,
            Err(_) => return Came::NotSent,
        };
        let Ok(came) = timeout(patience, exchange(&mut open.sender, letter, address)).await else {
            return Came::Nothing(format!("gave up after {} ms", patience.as_millis()));
        };
        if let Came::Answer(_) = came {
            self.open = Some(open);
        }
        came
    }

    async fn connect(&mut self, address: SocketAddr) -> Result<Open, String> {
        if let Some(open) = self.open.take()
            && open.address == address
            && open.sender.is_ready()
        {
            return Ok(open);
        }
        let connected = timeout(CONNECT_MAX, TcpStream::connect(address)).await;
        let stream = connected.map_err(|_| "no connection".to_owned())?;
        let stream = stream.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let carrier = tokio::spawn(async move {
            // How it ends is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Open { address, sender, carrier })
    }
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    letter: &Letter,
    address: SocketAddr,
) -> Came {
    let response = match sender.try_send_request(letter.request(address)).await {
        Ok(response) => response,
        // Given back, it was not sent.
        Err(mut error) => {
            let was_sent = error.take_message().is_none();
            let text = error.into_error().to_string();
            return if was_sent { Came::Nothing(text) } else { Came::NotSent };
        }
    };
    let (head, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => Came::Answer(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        }),
        Err(error) => Came::Nothing(format!("half an answer: {error}")),
    }
}

/// Opens a stream: its connection lives as long as the returned guard.
///
/// # Errors
/// If there is none to be had, in words.
pub async fn stream(
    address: SocketAddr,
    letter: &Letter,
    patience: Duration,
) -> Result<(Response<hyper::body::Incoming>, Box<dyn Send>), String> {
    let mut open = Connection::default().connect(address).await?;
    let response = timeout(patience, open.sender.send_request(letter.request(address))).await;
    let response = response.map_err(|_| "no answer".to_owned())?;
    Ok((response.map_err(|error| error.to_string())?, Box::new(open)))
}
