//! What is counted, in Prometheus' words. No label carries anything of a customer's.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use evercart_core::market::MarketName;
use evercart_core::store::WriterGauge;
use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::exposition::{Exposition, to_text};
use crate::outbox::Outcome;

/// Upper bounds of the latency buckets, in seconds: from a cached read to the request timeout.
const SECONDS: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Upper bounds of the buckets for operations in one commit.
const OPERATIONS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Histograms<RouteLabel>,
    batches: Histograms<MarketLabel>,
    queue: Family<MarketLabel, Gauge>,
    streams: Gauge,
    connections: Gauge,
    connections_refused: Family<ReasonLabel, Counter>,
    lines_left_out: Counter,
    codes_sent: Family<MarketLabel, Counter>,
    codes_refused: Family<RefusalLabels, Counter>,
    sign_ins: Family<OutcomeLabels, Counter>,
    messages_sent: Family<MessageLabels, Counter>,
    messages_failed: Family<MessageLabels, Counter>,
    messages_given_up: Family<MessageLabels, Counter>,
    messages_waiting: Family<MarketLabel, Gauge>,
    backups_made: Counter,
    backups_failed: Counter,
    backup_last_good: Gauge,
    backups_kept: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: Arc<str>,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MarketLabel {
    market: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    market: String,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    market: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MessageLabels {
    market: String,
    kind: &'static str,
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("evercart"),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            batches: Family::new_with_constructor(|| Histogram::new(OPERATIONS)),
            queue: Family::default(),
            streams: Gauge::default(),
            connections: Gauge::default(),
            connections_refused: Family::default(),
            lines_left_out: Counter::default(),
            codes_sent: Family::default(),
            codes_refused: Family::default(),
            sign_ins: Family::default(),
            messages_sent: Family::default(),
            messages_failed: Family::default(),
            messages_given_up: Family::default(),
            messages_waiting: Family::default(),
            backups_made: Counter::default(),
            backups_failed: Counter::default(),
            backup_last_good: Gauge::default(),
            backups_kept: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from a request's head to its answer",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register("commit_batch_size", "Operations in one commit", metrics.batches.clone());
        registry.register(
            "writer_queue_depth",
            "Operations waiting for the writer after its last commit",
            metrics.queue.clone(),
        );
        registry.register(
            "event_streams_open",
            "Streams of events to customers",
            metrics.streams.clone(),
        );
        registry.register(
            "log_lines_left_out",
            "Refusals of requests without a good token that the log has no line for",
            metrics.lines_left_out.clone(),
        );
        registry.register("codes_sent", "Sign-in codes sent", metrics.codes_sent.clone());
        registry.register(
            "codes_refused",
            "Sign-in codes asked for but not sent",
            metrics.codes_refused.clone(),
        );
        registry.register("sign_ins", "Attempts to sign in", metrics.sign_ins.clone());
        for (name, help, counter) in [
            ("messages_sent", "Messages of the outbox sent", &metrics.messages_sent),
            (
                "messages_failed",
                "Attempts to send a message of the outbox that failed",
                &metrics.messages_failed,
            ),
            (
                "messages_given_up",
                "Messages of the outbox that could not be sent for a day",
                &metrics.messages_given_up,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register(
            "messages_waiting",
            "Messages in the outbox",
            metrics.messages_waiting.clone(),
        );
        metrics.register_connections();
        metrics.register_backups();
        metrics
    }

    fn register_connections(&mut self) {
        let registry = &mut self.registry;
        let (open, refused) = (self.connections.clone(), self.connections_refused.clone());
        registry.register("connections_open", "Connections to the public listener", open);
        registry.register(
            "connections_refused",
            "Connections that found no room, in all or for their address",
            refused,
        );
    }

    fn register_backups(&mut self) {
        let registry = &mut self.registry;
        let (made, failed) = (self.backups_made.clone(), self.backups_failed.clone());
        registry.register("backups_made", "Backups this server made by itself", made);
        registry.register("backups_failed", "Attempts at a backup that failed", failed);
        registry.register_with_unit(
            "backup_last_good_timestamp",
            "When the newest backup was made that this server knows, in seconds since 1970",
            Unit::Seconds,
            self.backup_last_good.clone(),
        );
        registry.register(
            "backups_kept",
            "Backups in the server's directory after the old ones were removed",
            self.backups_kept.clone(),
        );
    }

    /// This backup is the newest, whoever made it.
    pub fn backup_known(&self, made: Timestamp) {
        self.backup_last_good.set(made.as_second());
    }

    /// This server made a backup.
    pub fn backup_made(&self, made: Timestamp) {
        self.backups_made.inc();
        self.backup_known(made);
    }

    /// An attempt at a backup failed.
    pub fn backup_failed(&self) {
        self.backups_failed.inc();
    }

    /// So many backups are left.
    pub fn backups_kept(&self, count: usize) {
        self.backups_kept.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Where the store of `market` says how its writer is doing.
    pub fn writer_gauge(&self, market: &MarketName) -> Arc<dyn WriterGauge> {
        let label = MarketLabel { market: market.as_str().to_owned() };
        Arc::new(MarketGauge {
            batches: self.batches.get_or_create_owned(&label),
            queue: self.queue.get_or_create_owned(&label),
        })
    }

    /// Everything counted so far.
    ///
    /// # Errors
    /// Never with the metrics above; the format's writer says it could.
    pub(crate) fn text(&self, exposition: Exposition) -> Result<String, std::fmt::Error> {
        let mut out = String::with_capacity(16 * 1024);
        text::encode(&mut out, &self.registry)?;
        Ok(match exposition {
            Exposition::OpenMetrics => out,
            Exposition::Text => to_text(&out),
        })
    }

    /// The counters of one route, to be kept by whoever serves it.
    pub(crate) fn route(&self, route: &str) -> RouteMetrics {
        let route: Arc<str> = route.into();
        let duration =
            self.durations.get_or_create_owned(&RouteLabel { route: Arc::clone(&route) });
        let ok = OnceLock::new();
        RouteMetrics { route, duration, requests: self.requests.clone(), ok }
    }

    /// So many streams of events are open.
    pub(crate) fn streams_open(&self, count: usize) {
        self.streams.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// So many connections to the public listener are open.
    pub(crate) fn connections_open(&self, count: usize) {
        self.connections.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn connection_refused(&self, reason: &'static str) {
        self.connections_refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn line_left_out(&self) {
        self.lines_left_out.inc();
    }

    pub(crate) fn code_sent(&self, market: &MarketName) {
        let market = market.as_str().to_owned();
        self.codes_sent.get_or_create(&MarketLabel { market }).inc();
    }

    pub(crate) fn code_refused(&self, market: &MarketName, reason: &'static str) {
        let market = market.as_str().to_owned();
        self.codes_refused.get_or_create(&RefusalLabels { market, reason }).inc();
    }

    pub(crate) fn message(&self, market: &MarketName, kind: &'static str, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Sent => &self.messages_sent,
            Outcome::Failed => &self.messages_failed,
            Outcome::GivenUp => &self.messages_given_up,
        };
        let market = market.as_str().to_owned();
        counter.get_or_create(&MessageLabels { market, kind }).inc();
    }

    pub(crate) fn messages_waiting(&self, market: &MarketName, count: u64) {
        let gauge = self
            .messages_waiting
            .get_or_create_owned(&MarketLabel { market: market.as_str().to_owned() });
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn sign_in(&self, market: &MarketName, outcome: &'static str) {
        let market = market.as_str().to_owned();
        self.sign_ins.get_or_create(&OutcomeLabels { market, outcome }).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The counters of one route.
#[derive(Debug)]
pub(crate) struct RouteMetrics {
    route: Arc<str>,
    duration: Histogram,
    requests: Family<RequestLabels, Counter>,
    /// The counter of the first method that was answered with 200, which is nearly always the one:
    /// finding it among the others takes a lock and a hash of all labels.
    ok: OnceLock<(&'static str, Counter)>,
}

impl RouteMetrics {
    /// The route's path with its parameters' names, such as `/cart/items/{id}`.
    pub(crate) fn route(&self) -> &str {
        &self.route
    }

    /// A request was answered.
    pub(crate) fn answered(&self, method: &'static str, status: u16, took: Duration) {
        self.duration.observe(took.as_secs_f64());
        if status != 200 {
            self.counter(method, status).inc();
            return;
        }
        let (of, counter) = self.ok.get_or_init(|| (method, self.counter(method, status)));
        if *of == method {
            counter.inc();
        } else {
            self.counter(method, status).inc();
        }
    }

    fn counter(&self, method: &'static str, status: u16) -> Counter {
        let labels = RequestLabels { method, route: Arc::clone(&self.route), status };
        self.requests.get_or_create_owned(&labels)
    }
}

struct MarketGauge {
    batches: Histogram,
    queue: Gauge,
}

impl WriterGauge for MarketGauge {
    fn committed(&self, operations: usize, waiting: usize) {
        let operations = u32::try_from(operations).unwrap_or(u32::MAX);
        self.batches.observe(f64::from(operations));
        self.queue.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told() {
        let metrics = Metrics::new();
        let us = MarketName::new("us").expect("a name");
        metrics.writer_gauge(&us).committed(3, 7);
        let cart = metrics.route("/cart");
        for (method, status) in [("GET", 200), ("DELETE", 200), ("GET", 200), ("GET", 401)] {
            cart.answered(method, status, Duration::from_millis(2));
        }
        metrics.streams_open(3);
        metrics.code_sent(&us);
        metrics.code_refused(&us, "rate_limited");
        metrics.sign_in(&us, "code_invalid");
        metrics.message(&us, "phone_changed", Outcome::Sent);
        metrics.message(&us, "phone_changed", Outcome::Failed);
        metrics.message(&us, "phone_changed", Outcome::GivenUp);
        metrics.messages_waiting(&us, 4);
        metrics.backup_made(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(9));
        metrics.backup_failed();
        metrics.backups_kept(7);
        let text = metrics.text(Exposition::Text).expect("text");
        for line in [
            "evercart_requests_total{method=\"GET\",route=\"/cart\",status=\"200\"} 2",
            "evercart_requests_total{method=\"DELETE\",route=\"/cart\",status=\"200\"} 1",
            "evercart_requests_total{method=\"GET\",route=\"/cart\",status=\"401\"} 1",
            "evercart_request_duration_seconds_bucket{le=\"0.0025\",route=\"/cart\"} 4",
            "evercart_commit_batch_size_sum{market=\"us\"} 3.0",
            "evercart_writer_queue_depth{market=\"us\"} 7",
            "evercart_event_streams_open 3",
            "evercart_codes_sent_total{market=\"us\"} 1",
            "evercart_codes_refused_total{market=\"us\",reason=\"rate_limited\"} 1",
            "evercart_sign_ins_total{market=\"us\",outcome=\"code_invalid\"} 1",
            "evercart_messages_sent_total{market=\"us\",kind=\"phone_changed\"} 1",
            "evercart_messages_failed_total{market=\"us\",kind=\"phone_changed\"} 1",
            "evercart_messages_given_up_total{market=\"us\",kind=\"phone_changed\"} 1",
            "evercart_messages_waiting{market=\"us\"} 4",
            "evercart_backups_made_total 1",
            "evercart_backups_failed_total 1",
            "evercart_backup_last_good_timestamp_seconds 9",
            "evercart_backups_kept 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
