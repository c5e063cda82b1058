//! Shared calls: requests that wait at the same moment go to the database as one statement, each
//! gets its own answer. What a statement asks is its own file's business.
//!
//! There is no timer: a batch is what is waiting when a connection becomes free, so a lone client
//! waits for nobody and a crowd shares one round trip and one commit.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use evercart_core::error::{Failed, Result as StoreResult, StoreError};
use evercart_core::store::WriterGauge;
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::connect::Target;
use crate::db::{DbError, Result, is_loss};
use crate::wire::Wire;

/// How long an answer of the database is waited for. Longer than the database itself lets a
/// statement run, so this is over only when the way to it is blocked; then the connection is given
/// up.
const ANSWER_MAX: Duration = Duration::from_secs(9);

/// How often a call is tried that met another transaction.
const TURNS_MAX: u32 = 5;

/// One kind of shared call, with what it has prepared on its connection.
pub(crate) trait Call: Sized + Send + Sync + 'static {
    /// What one client asks.
    type Request: Send + Sync + 'static;
    /// What one client is told.
    type Answer: Send + 'static;

    /// True of a call that only reads: asking twice is no harm, so that a lost connection is a
    /// reason to ask again, and what nobody waits for any more is not asked.
    const MAY_BE_REPEATED: bool;

    /// Prepares the statements on a new connection to this target.
    fn prepare(client: &Client, target: &Target) -> impl Future<Output = Result<Self>> + Send;

    /// Which of the waiting requests, by their places, are asked in the next call: the first one at
    /// least. The others stay for the call after it.
    fn take_together(requests: &[&Self::Request]) -> Vec<usize> {
        (0..requests.len()).collect()
    }

    /// Asks all of it in one statement, which is one transaction. The answers come in the order of
    /// the requests.
    fn ask(
        &self,
        client: &Client,
        requests: &[&Self::Request],
    ) -> impl Future<Output = Result<Vec<StoreResult<Self::Answer>>>> + Send;
}

/// A request with the way back to whoever made it.
struct Waiting<C: Call> {
    request: C::Request,
    reply: oneshot::Sender<StoreResult<C::Answer>>,
}

/// The connections that make one kind of call, and the queue before them.
pub(crate) struct Lanes<C: Call> {
    queue: Mutex<Option<mpsc::Sender<Waiting<C>>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl<C: Call> Lanes<C> {
    /// Starts as many connections; they are made when they are first needed.
    pub(crate) fn start(target: &Target, settings: &LaneSettings) -> Self {
        let (queue, waiting) = mpsc::channel(settings.queue_max.max(1));
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        let tasks = (0..settings.lanes.max(1)).map(|_| {
            let lane = Lane {
                target: target.clone(),
                connected: None,
                gauge: Arc::clone(&settings.gauge),
                batch_max: settings.batch_max.max(1),
            };
            tokio::spawn(lane.serve(Arc::clone(&waiting)))
        });
        Self { tasks: Mutex::new(tasks.collect()), queue: Mutex::new(Some(queue)) }
    }

    /// Asks, together with whoever waits at the same moment.
    pub(crate) async fn ask(&self, request: C::Request) -> StoreResult<C::Answer> {
        let (reply, answer) = oneshot::channel();
        {
            let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let queue = queue.as_ref().ok_or_else(closed)?;
            queue.try_send(Waiting { request, reply }).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::from(Failed::Overloaded),
                mpsc::error::TrySendError::Closed(_) => closed(),
            })?;
        }
        let lost = || Failed::Unavailable("a shared call ended without an answer".into());
        answer.await.unwrap_or_else(|_| Err(lost().into()))
    }

    /// Finishes what is queued and closes the connections.
    pub(crate) async fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A task that panicked has told its waiting clients by dropping their replies.
            let _ = task.await;
        }
    }
}

/// How many connections, and how much they take at once.
pub(crate) struct LaneSettings {
    pub(crate) lanes: usize,
    pub(crate) batch_max: usize,
    pub(crate) queue_max: usize,
    pub(crate) gauge: Arc<dyn WriterGauge>,
}

fn closed() -> StoreError {
    Failed::Unavailable("the store is closed".into()).into()
}

/// A connection with what is prepared on it.
struct Line<C> {
    client: Client,
    wire: Wire,
    call: C,
}

struct Lane<C> {
    target: Target,
    connected: Option<Line<C>>,
    gauge: Arc<dyn WriterGauge>,
    batch_max: usize,
}

impl<C: Call> Lane<C> {
    async fn serve(mut self, queue: Arc<tokio::sync::Mutex<mpsc::Receiver<Waiting<C>>>>) {
        let mut batch = Vec::with_capacity(self.batch_max);
        loop {
            let waited_for = async {
                let mut queue = queue.lock().await;
                let taken = queue.recv_many(&mut batch, self.batch_max).await;
                (taken, queue.len())
            };
            // A connection that is lost while nobody asks is noticed while nobody asks.
            let (taken, left) = match &mut self.connected {
                Some(line) => line.wire.beside(waited_for).await,
                None => waited_for.await,
            };
            if taken == 0 {
                return;
            }
            while !batch.is_empty() {
                // A read that nobody waits for is left out; a change that was handed over is made.
                if C::MAY_BE_REPEATED {
                    batch.retain(|waiting| !waiting.reply.is_closed());
                }
                let call = AssertUnwindSafe(self.call(&mut batch, left)).catch_unwind().await;
                if call.is_err() {
                    // A mistake of ours. Those in the call are told by their dropped replies that
                    // it failed; whoever comes after them must still find this lane.
                    tracing::error!("a shared call panicked");
                    self.connected = None;
                }
            }
        }
    }

    /// Makes one call for those of the batch that belong together, and takes them out of it.
    async fn call(&mut self, batch: &mut Vec<Waiting<C>>, left: usize) {
        let together = {
            let requests: Vec<_> = batch.iter().map(|waiting| &waiting.request).collect();
            C::take_together(&requests)
        };
        let mut chosen = Vec::with_capacity(together.len());
        if together.len() == batch.len() {
            chosen.append(batch);
        } else {
            for (taken, place) in together.into_iter().enumerate() {
                chosen.push(batch.remove(place - taken));
            }
        }
        let requests: Vec<_> = chosen.iter().map(|waiting| &waiting.request).collect();
        let answers = self.answers(&requests).await;
        self.gauge.committed(requests.len(), batch.len() + left);
        for (waiting, answer) in chosen.into_iter().zip(answers) {
            // The client may have gone; the effect stays, and its key tells when it asks again.
            let _ = waiting.reply.send(answer);
        }
    }

    /// An answer for each request, whatever happens.
    async fn answers(&mut self, requests: &[&C::Request]) -> Vec<StoreResult<C::Answer>> {
        match self.ask_in_turns(requests).await {
            Ok(answers) => answers,
            // One of them brought all down with it: each is asked by itself, so that it harms no
            // other.
            Err(error) if requests.len() > 1 && is_the_requests_own(&error) => {
                let mut answers = Vec::with_capacity(requests.len());
                for request in requests {
                    let alone = self.ask_in_turns(std::slice::from_ref(request)).await;
                    answers.push(match alone {
                        Ok(mut one) => one.pop().unwrap_or_else(|| Err(closed())),
                        Err(error) => Err(error.into_store_error()),
                    });
                }
                answers
            }
            Err(error) => {
                // Of an outage, its beginning and its end are told.
                let is_told = matches!(error, DbError::Away(_));
                let error = error.into_store_error();
                let is_read_only = matches!(error, StoreError::Failed(Failed::ReadOnly(_)));
                let text = error.to_string();
                if !is_told {
                    tracing::error!(operations = requests.len(), "{text}");
                }
                let failed = |_| match is_read_only {
                    true => Err(Failed::ReadOnly(text.clone()).into()),
                    false => Err(Failed::Unavailable(text.clone()).into()),
                };
                requests.iter().map(failed).collect()
            }
        }
    }

    async fn ask_in_turns(
        &mut self,
        requests: &[&C::Request],
    ) -> Result<Vec<StoreResult<C::Answer>>> {
        let mut turn = 1;
        loop {
            let error = match self.ask_once(requests).await {
                Ok(answers) => return Ok(answers),
                Err(error) => error,
            };
            let DbError::Sql(sql) = &error else { return Err(error) };
            let was_lost = is_loss(sql);
            if was_lost {
                self.connected = None;
            }
            // A loss is tried again once; two transactions that met, some more times.
            let again = match was_lost {
                true => C::MAY_BE_REPEATED && turn == 1,
                false => crate::db::is_meeting(sql) && turn < TURNS_MAX,
            };
            if !again {
                return Err(error);
            }
            turn += 1;
        }
    }

    async fn ask_once(&mut self, requests: &[&C::Request]) -> Result<Vec<StoreResult<C::Answer>>> {
        if self.connected.as_ref().is_none_or(|line| line.client.is_closed()) {
            self.connected = Some(Self::connect(&self.target).await?);
        }
        let Line { client, wire, call } = self.connected.as_mut().expect("connected just now");
        let asked = wire.beside(call.ask(client, requests));
        match tokio::time::timeout(ANSWER_MAX, asked).await {
            Ok(answers) => answers,
            Err(_) => {
                self.connected = None;
                Err(Failed::Unavailable("the database does not answer".into()).into())
            }
        }
    }

    async fn connect(target: &Target) -> Result<Line<C>> {
        let away = |why: String| DbError::from(Failed::Unavailable(why));
        let (client, connection) = target.connect_hot().await.map_err(|error| {
            DbError::Away(format!("cannot connect to PostgreSQL at {}: {error}", target.place))
        })?;
        let mut wire = Wire::new(connection);
        let prepared = wire.beside(async {
            let set = target.hot_settings().make(&client).await;
            set.map_err(|error| away(error.to_string()))?;
            if let Some(keeper) = &target.keeper {
                keeper.admit(&client).await.map_err(|refusal| away(refusal.to_string()))?;
            }
            C::prepare(&client, target).await
        });
        match tokio::time::timeout(ANSWER_MAX, prepared).await {
            Ok(call) => Ok(Line { call: call?, client, wire }),
            Err(_) => Err(away("the database does not answer".into())),
        }
    }
}

/// The statement failed for a reason that may lie in one of its requests.
fn is_the_requests_own(error: &DbError) -> bool {
    matches!(error, DbError::Sql(sql) if !is_loss(sql))
}
