//! A proxy on the way to a server, for tests of what happens when that way breaks: its controls.
//! How bytes are passed on is `pump`'s business.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::place::{PORTS_TRIED_MAX, free_port};
use crate::server::{PATIENCE, POLL};
use crate::{Error, pump};

/// Two threads serve each. Further ones are closed at once.
const CONNECTIONS_MAX: usize = 500;

/// When a connection is cut on which the client sends a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// What precedes the pattern reaches the server, the pattern does not.
    BeforeForwarding,
    /// The server has got the pattern and has answered; the client never hears the answer.
    BeforeTheAnswer,
}

/// A TCP proxy on 127.0.0.1. It begins by passing everything on; it ends, with all connections,
/// when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    address: SocketAddr,
    pub target: SocketAddr,
    pub state: Mutex<State>,
    /// Notified at every change of the state.
    pub changed: Condvar,
}

#[derive(Debug)]
pub(crate) struct State {
    pub flow: Flow,
    pub trap: Option<Trap>,
    /// Whether the last trap has sprung and the connection is cut.
    pub has_cut: bool,
    links: HashMap<u64, Arc<Link>>,
    links_ever: u64,
    is_refusing: bool,
    is_listening: bool,
    has_ended: bool,
}

/// How bytes pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Pass,
    Stall,
    Delay(Duration),
}

/// What makes the proxy cut by itself, once.
#[derive(Debug)]
pub(crate) enum Trap {
    BytesToServer { left: usize },
    Pattern { bytes: Vec<u8>, moment: Moment },
}

/// A client's connection, and ours to the server for it.
#[derive(Debug)]
pub(crate) struct Link {
    pub number: u64,
    pub client: TcpStream,
    pub server: Mutex<Option<TcpStream>>,
    is_cut: AtomicBool,
    /// The client is to hear nothing any more of what the server says.
    pub is_mute: AtomicBool,
}

impl Proxy {
    /// Listens on a free port and passes on to `target`, as `Server::address` returns it.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start(target: SocketAddr) -> Result<Self, Error> {
        let (listener, address) = listen_anywhere()?;
        let state = State {
            flow: Flow::Pass,
            trap: None,
            has_cut: false,
            links: HashMap::new(),
            links_ever: 0,
            is_refusing: false,
            is_listening: true,
            has_ended: false,
        };
        let shared = Shared { address, target, state: Mutex::new(state), changed: Condvar::new() };
        let shared = Arc::new(shared);
        let acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&acceptor, listener));
        Ok(Self { shared, acceptor: Some(acceptor) })
    }

    /// Where it listens. It stays the same after refusing.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// A server's URL, changed to lead through this proxy.
    pub fn url(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        format!("{scheme}://{user}@{}{path}", self.address())
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.lock().links.len()
    }

    /// Passes everything on, old connections and new ones. A trap stays set.
    ///
    /// # Errors
    /// If it was refusing and somebody else has taken its port.
    pub fn pass(&self) -> Result<(), Error> {
        self.shared.change(|state| {
            state.flow = Flow::Pass;
            state.is_refusing = false;
        });
        self.shared.wait_until("listen again", |state| state.is_listening)
    }

    /// Accepts connections and bytes and passes nothing on, until told otherwise.
    pub fn stall(&self) {
        self.shared.change(|state| state.flow = Flow::Stall);
    }

    /// Passes each piece on (16 KiB at most) after this time, in both directions.
    pub fn delay(&self, time: Duration) {
        self.shared.change(|state| state.flow = Flow::Delay(time));
    }

    /// Lets no new connections in: the system refuses them, as if no server ran. Those that are
    /// open go on.
    ///
    /// # Errors
    /// If that does not take effect within a minute.
    pub fn refuse(&self) -> Result<(), Error> {
        self.shared.change(|state| state.is_refusing = true);
        self.shared.wake_acceptor();
        self.shared.wait_until("stop listening", |state| !state.is_listening)
    }

    /// Cuts all connections now. New ones are accepted as before.
    pub fn cut(&self) {
        self.shared.cut_all();
    }

    /// Cuts all connections as soon as clients have sent this many bytes from now on, all of them
    /// together; these bytes reach the server, and none after them. Once.
    pub fn cut_after_bytes_to_server(&self, bytes: usize) {
        self.set(Trap::BytesToServer { left: bytes });
    }

    /// Cuts the first connection on which a client sends these bytes, as they are on the wire:
    /// `COMMIT` is seen where it is sent as text, a prepared statement is sent by its name. Once.
    pub fn cut_when_client_sends(&self, pattern: impl AsRef<[u8]>, moment: Moment) {
        self.set(Trap::Pattern { bytes: pattern.as_ref().to_vec(), moment });
    }

    /// Waits until the trap that was set last has cut.
    ///
    /// # Errors
    /// If it has not within a minute.
    pub fn wait_until_cut(&self) -> Result<(), Error> {
        self.shared.wait_until("cut: nobody sends what was waited for", |state| state.has_cut)
    }

    fn set(&self, trap: Trap) {
        self.shared.change(|state| {
            state.trap = Some(trap);
            state.has_cut = false;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.change(|state| state.has_ended = true);
        self.shared.wake_acceptor();
        if let Some(acceptor) = self.acceptor.take() {
            // If it has panicked, the test has seen that it does not listen.
            let _ = acceptor.join();
        }
        self.shared.cut_all();
    }
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // Each change of the state is complete in itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        changed
    }

    /// Waits; `what` is what it cannot do if that is in vain.
    fn wait_until(&self, what: &str, holds: impl Fn(&State) -> bool) -> Result<(), Error> {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), PATIENCE, |state| !holds(state))
            .unwrap_or_else(PoisonError::into_inner);
        if holds(&state) {
            return Ok(());
        }
        Err(Error::system(what)(io::ErrorKind::TimedOut.into()))
    }

    /// Waits until this link's bytes may pass. False if it was cut meanwhile.
    pub fn wait_for_turn(&self, link: &Link) -> bool {
        let begun = Instant::now();
        let mut state = self.lock();
        loop {
            let left = match state.flow {
                _ if link.is_cut() => return false,
                Flow::Pass => return true,
                Flow::Stall => PATIENCE,
                Flow::Delay(time) => time.saturating_sub(begun.elapsed()),
            };
            if left.is_zero() {
                return true;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub fn cut(&self, link: &Link) {
        link.cut();
        self.change(|state| state.links.remove(&link.number));
    }

    pub fn cut_all(&self) {
        let links = self.change(|state| std::mem::take(&mut state.links));
        links.values().for_each(|link| link.cut());
        // For those that wait for their turn.
        self.changed.notify_all();
    }

    /// It looks at the state after each connection, and this is one.
    fn wake_acceptor(&self) {
        // Refused, it is not in `accept`, but waits for the state to change.
        let _ = TcpStream::connect(self.address);
    }

    /// Takes a client in, unless there are too many.
    fn admit(&self, client: TcpStream) -> Option<Arc<Link>> {
        self.change(|state| {
            let number = state.links_ever;
            let link = Arc::new(Link {
                number,
                client,
                server: Mutex::new(None),
                is_cut: AtomicBool::new(false),
                is_mute: AtomicBool::new(false),
            });
            if state.links.len() >= CONNECTIONS_MAX {
                return None;
            }
            state.links_ever += 1;
            state.links.insert(number, Arc::clone(&link));
            Some(link)
        })
    }
}

impl Link {
    pub fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::SeqCst)
    }

    /// Gives the link its connection to the server. False if it was cut meanwhile.
    pub fn join(&self, server: TcpStream) -> bool {
        let mut place = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(server);
        !self.is_cut()
    }

    fn cut(&self) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_cut.store(true, Ordering::SeqCst);
        for stream in [Some(&self.client), server.as_ref()].into_iter().flatten() {
            // It fails if the other side was quicker.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Listens, and stops and begins again as the state says.
fn accept(shared: &Arc<Shared>, first: TcpListener) {
    let mut listener = Some(first);
    loop {
        let client = listener.as_ref().map(TcpListener::accept);
        let mut state = shared.lock();
        if state.has_ended {
            return;
        }
        if state.is_refusing {
            drop((client, listener.take()));
            state.is_listening = false;
            shared.changed.notify_all();
            let waited =
                shared.changed.wait_while(state, |state| state.is_refusing && !state.has_ended);
            if waited.unwrap_or_else(PoisonError::into_inner).has_ended {
                return;
            }
            listener = listen(shared.address);
            shared.change(|state| state.is_listening = listener.is_some());
            continue;
        }
        drop(state);
        match client {
            // A client that has gone before it was accepted is none.
            Some(Err(_)) => {}
            Some(Ok((client, _))) => {
                if let Some(link) = shared.admit(client) {
                    let shared = Arc::clone(shared);
                    thread::spawn(move || pump::run(&shared, &link));
                }
            }
            // Somebody has taken the port; `pass` has said so.
            None => return,
        }
    }
}

/// Listens on the port that was given up for a while.
fn listen(address: SocketAddr) -> Option<TcpListener> {
    let begun = Instant::now();
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return Some(listener),
            Err(_) if begun.elapsed() > PATIENCE / 2 => return None,
            Err(_) => thread::sleep(POLL),
        }
    }
}

fn listen_anywhere() -> Result<(TcpListener, SocketAddr), Error> {
    for _ in 0..PORTS_TRIED_MAX {
        let address = (Ipv4Addr::LOCALHOST, free_port()?).into();
        // Somebody may have been quicker.
        if let Ok(listener) = TcpListener::bind(address) {
            return Ok((listener, address));
        }
    }
    Err(Error::system("listen")(io::ErrorKind::AddrInUse.into()))
}
