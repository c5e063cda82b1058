//! The shop's SMS provider for a test: an HTTP endpoint that takes every message and keeps it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use serde_json::Value;

/// The secret the server signs with; 24 bytes in base64.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Message {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Taken, not refused.
    pub is_taken: bool,
}

impl Message {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no header {name}"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

#[derive(Debug, Default)]
struct Shared {
    messages: Mutex<Vec<Message>>,
    status: AtomicU16,
    /// Answers wait for this to be let go.
    held: Mutex<()>,
    is_holding: AtomicBool,
    over: AtomicBool,
}

/// A running endpoint.
pub struct SmsReceiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl SmsReceiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        shared.status.store(204, Ordering::SeqCst);
        let seen = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if seen.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                // Whoever breaks off did not deliver a message. It is kept before it is answered:
                // who has the answer finds it.
                let status = seen.status.load(Ordering::SeqCst);
                if let Some(message) = read(&stream, (200..300).contains(&status)) {
                    seen.messages.lock().expect("nobody panics with it").push(message);
                    seen.is_holding.store(true, Ordering::SeqCst);
                    drop(seen.held.lock());
                    seen.is_holding.store(false, Ordering::SeqCst);
                    answer(&stream, status);
                }
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// The variables that make a server use it.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("EVERCART_SMS__PROVIDER", "webhook".to_owned()),
            ("EVERCART_SMS__URL", format!("http://{}/sms", self.address)),
            ("EVERCART_SMS__SECRET", SECRET.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// Answers with this status from now on.
    pub fn answer_with(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// Takes messages and does not answer while the guard is held.
    pub fn hold(&self) -> MutexGuard<'_, ()> {
        self.shared.held.lock().expect("nobody panics with it")
    }

    /// True while somebody waits for an answer that is held.
    pub fn is_holding(&self) -> bool {
        self.shared.is_holding.load(Ordering::SeqCst)
    }

    /// All messages so far.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.messages.lock().expect("nobody panics with it").clone()
    }

    /// The texts sent to a phone so far.
    pub fn texts(&self, phone: &str) -> Vec<String> {
        let bodies = self.messages().into_iter().map(|message| message.json());
        let to_phone = bodies.filter(|body| body["to"] == phone);
        to_phone.map(|body| body["text"].as_str().expect("a text").to_owned()).collect()
    }

    /// The texts to a phone that were taken so far.
    pub fn taken_texts(&self, phone: &str) -> Vec<String> {
        let taken = self.messages().into_iter().filter(|message| message.is_taken);
        let bodies = taken.map(|message| message.json()).filter(|body| body["to"] == phone);
        bodies.map(|body| body["text"].as_str().expect("a text").to_owned()).collect()
    }

    /// The newest code sent to a phone.
    pub fn code(&self, phone: &str) -> String {
        let text = self.texts(phone).pop().unwrap_or_else(|| panic!("nothing sent to {phone}"));
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
        let code = text.split(|c: char| !c.is_ascii_digit()).find(is_code);
        code.unwrap_or_else(|| panic!("no code in {text:?}")).to_owned()
    }
}

impl Drop for SmsReceiver {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the thread up; if it is gone already, so much the better.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(stream: &TcpStream, is_taken: bool) -> Option<Message> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let is_length = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-length");
    let length = headers.iter().find(is_length)?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Message { headers, body, is_taken })
}

fn answer(mut stream: &TcpStream, status: u16) {
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    // A server that was killed meanwhile does not hear it.
    let _ = stream.write_all(answer.as_bytes());
}
