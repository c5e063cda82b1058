//! A stream of server-sent events, read by a thread of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::PATIENCE;

/// What came on a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// An event.
    Event(Event),
    /// A sign of life.
    Comment,
    /// How long to wait before connecting again, in milliseconds.
    Retry(u64),
    /// The server ended it.
    End,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What happened.
    pub name: String,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// What it carries.
    pub data: Value,
}

/// An open stream. Dropping it hangs up.
pub struct Events {
    /// The status of the answer.
    pub status: u16,
    /// The answer's head.
    pub head: String,
    connection: TcpStream,
    heard: mpsc::Receiver<Heard>,
}

impl Events {
    /// Asks a server (`http://127.0.0.1:PORT`) for `/cart/events`.
    pub fn open(base_url: &str, token: &str, last_event_id: Option<&str>) -> Self {
        let address = base_url.strip_prefix("http://").expect("a plain URL");
        let mut connection = TcpStream::connect(address).expect("the server listens");
        let last = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /cart/events HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\
             Authorization: Bearer {token}\r\n{last}\r\n"
        );
        connection.write_all(request.as_bytes()).expect("the server reads");
        connection.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut reader = BufReader::new(connection.try_clone().expect("a second handle"));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let bytes = reader.read_line(&mut head).expect("an answer");
            assert!(bytes > 0, "the answer has no end of its head: {head}");
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let (tell, heard) = mpsc::channel();
        let is_stream = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        if is_stream {
            // Signs of life come more often than that.
            connection.set_read_timeout(Some(2 * PATIENCE)).expect("a timeout");
            std::thread::spawn(move || read(Chunks { reader, left: 0 }, &tell));
        }
        Self { status: status.expect("a status"), head, connection, heard }
    }

    /// What comes next.
    pub fn heard(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).expect("something is heard in time")
    }

    /// The next event; signs of life are skipped.
    pub fn next(&self) -> Event {
        loop {
            match self.heard() {
                Heard::Event(event) => return event,
                Heard::Comment | Heard::Retry(_) => {}
                Heard::End => panic!("the stream ended"),
            }
        }
    }

    /// The cart of the next event, which must be one.
    pub fn cart(&self) -> Value {
        let event = self.next();
        assert_eq!(event.name, "cart", "{event:?}");
        let version = event.data["version"].to_string();
        assert_eq!(event.id.as_deref(), Some(&*version), "{event:?}");
        event.data
    }

    /// The next event, which must be the last, says that the session is over, and why.
    pub fn signed_out(&self) -> Value {
        let event = self.next();
        assert_eq!(event.name, "signed_out", "{event:?}");
        assert_eq!(self.heard(), Heard::End);
        event.data
    }

    /// True if nothing is heard for so long.
    pub fn is_quiet_for(&self, time: Duration) -> bool {
        self.heard.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // The server may have hung up before.
        let _ = self.connection.shutdown(Shutdown::Both);
    }
}

fn read(chunks: impl Read, tell: &mpsc::Sender<Heard>) {
    let (mut name, mut id, mut data) = (String::new(), None, String::new());
    for line in BufReader::new(chunks).lines() {
        let Ok(line) = line else { break };
        let heard = match line.split_once(':').map(|(name, value)| (name, value.trim_start())) {
            Some(("event", value)) => {
                value.clone_into(&mut name);
                None
            }
            Some(("id", value)) => {
                id = Some(value.to_owned());
                None
            }
            Some(("data", value)) => {
                data.push_str(value);
                None
            }
            Some(("retry", value)) => Some(Heard::Retry(value.parse().expect("milliseconds"))),
            Some(("", _)) => Some(Heard::Comment),
            None if line.is_empty() && !data.is_empty() => {
                let parsed = serde_json::from_str(&data).expect("JSON");
                data.clear();
                let event = Event { name: std::mem::take(&mut name), id: id.take(), data: parsed };
                Some(Heard::Event(event))
            }
            None if line.is_empty() => None,
            _ => panic!("not a line of an event stream: {line}"),
        };
        if let Some(heard) = heard
            && tell.send(heard).is_err()
        {
            return;
        }
    }
    let _ = tell.send(Heard::End);
}

/// The content of an answer in chunks.
struct Chunks {
    reader: BufReader<TcpStream>,
    left: usize,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            let mut size = String::new();
            // Between two chunks there is an empty line.
            while size.trim().is_empty() {
                size.clear();
                if self.reader.read_line(&mut size)? == 0 {
                    return Ok(0);
                }
            }
            self.left = usize::from_str_radix(size.trim(), 16).expect("a chunk's size");
            if self.left == 0 {
                return Ok(0);
            }
        }
        let most = buffer.len().min(self.left);
        let bytes = self.reader.read(&mut buffer[..most])?;
        self.left -= bytes;
        Ok(bytes)
    }
}
