//! A proxy between a client and a server, or a server and its database, that can be told to delay,
//! to hold back, to swallow answers, to half-close and to cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const PIECE_BYTES_MAX: usize = 16 * 1024;

/// How bytes pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// As they come.
    Pass,
    /// Each piece after a while.
    Delay(Duration),
    /// Not at all, until told otherwise.
    Stall,
    /// Requests pass, answers are lost.
    LoseAnswers,
}

/// Which way a pump works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToClient,
}

#[derive(Debug, Clone, Copy)]
struct Orders {
    flow: Flow,
    /// Where new connections lead.
    target: SocketAddr,
    /// Goes up at each cut: whoever began under a smaller one ends.
    cuts: u64,
    /// Goes up at each half-close.
    half_closes: u64,
    is_refusing: bool,
}

/// A proxy on 127.0.0.1, until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    orders: Arc<watch::Sender<Orders>>,
    acceptor: JoinHandle<()>,
}

impl Proxy {
    /// Passes on to `target`.
    ///
    /// # Errors
    /// If it cannot listen.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let flow = Flow::Pass;
        let orders = Orders { flow, target, cuts: 0, half_closes: 0, is_refusing: false };
        let orders = Arc::new(watch::Sender::new(orders));
        let acceptor = tokio::spawn(accept(listener, Arc::clone(&orders)));
        Ok(Self { address, orders, acceptor })
    }

    /// How bytes pass from now on.
    pub fn flow(&self, flow: Flow) {
        self.orders.send_modify(|orders| orders.flow = flow);
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.orders.send_modify(|orders| orders.cuts += 1);
    }

    /// Tells the server on all connections that the client has no more to say, and takes nothing
    /// more from the client.
    pub fn half_close(&self) {
        self.orders.send_modify(|orders| orders.half_closes += 1);
    }

    /// Whether new connections are closed at once.
    pub fn refuse(&self, is_refusing: bool) {
        self.orders.send_modify(|orders| orders.is_refusing = is_refusing);
    }

    /// Leads to another server from now on, and away from the one before.
    pub fn lead_to(&self, target: SocketAddr) {
        self.orders.send_modify(|orders| orders.target = target);
        self.cut();
    }

    /// Everything passes again.
    pub fn heal(&self) {
        self.flow(Flow::Pass);
        self.refuse(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.acceptor.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, orders: Arc<watch::Sender<Orders>>) {
    loop {
        // A client that has gone before it was accepted is none.
        let Ok((client, _)) = listener.accept().await else { continue };
        if !orders.borrow().is_refusing {
            tokio::spawn(serve(client, orders.subscribe()));
        }
    }
}

async fn serve(client: TcpStream, mut orders: watch::Receiver<Orders>) {
    let begun = *orders.borrow_and_update();
    let Ok(server) = TcpStream::connect(begun.target).await else { return };
    // Without it, small pieces wait for each other.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = pump(Way::ToServer, from_client, to_server, orders.clone(), begun);
    let back = pump(Way::ToClient, from_server, to_client, orders.clone(), begun);
    let is_cut = orders.wait_for(|orders| orders.cuts != begun.cuts);
    // The client may have no more to say and still want to hear; where the server ends, all ends.
    let there = async {
        there.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = is_cut => {}
        () = there => {}
        () = back => {}
    }
}

async fn pump(
    way: Way,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut orders: watch::Receiver<Orders>,
    begun: Orders,
) {
    let mut piece = vec![0; PIECE_BYTES_MAX];
    loop {
        let half_closed = {
            let mut orders = orders.clone();
            async move {
                // It fails when the proxy has gone, which cuts anyway.
                let _ = orders.wait_for(|orders| orders.half_closes != begun.half_closes).await;
            }
        };
        let bytes = tokio::select! {
            read = from.read(&mut piece) => read.unwrap_or(0),
            () = half_closed, if way == Way::ToServer => 0,
        };
        if bytes == 0 {
            // The other side may still have something to say.
            let _ = to.shutdown().await;
            return;
        }
        if !may_pass(way, &mut orders).await {
            continue;
        }
        if to.write_all(&piece[..bytes]).await.is_err() {
            return;
        }
    }
}

/// Waits until a piece may pass. False if it is lost.
async fn may_pass(way: Way, orders: &mut watch::Receiver<Orders>) -> bool {
    loop {
        let flow = orders.borrow_and_update().flow;
        match flow {
            Flow::Pass => return true,
            Flow::LoseAnswers => return way == Way::ToServer,
            Flow::Delay(time) => {
                tokio::time::sleep(time).await;
                return true;
            }
            Flow::Stall => {
                if orders.changed().await.is_err() {
                    return false;
                }
            }
        }
    }
}
