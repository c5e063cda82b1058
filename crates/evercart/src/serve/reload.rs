//! What a running server picks up without a restart: rotated keys, by itself and on SIGHUP; a
//! renewed certificate, on SIGHUP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use axum_server::tls_rustls::RustlsConfig;
use evercart_http::Shop;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::config::{Settings, TlsFiles};
use crate::keys::Keys;

use super::tls;

/// How often the key file is looked at: one `stat`.
const INTERVAL: Duration = Duration::from_secs(1);

/// What can be told from outside whether a file changed.
type Stamp = Option<(SystemTime, u64)>;

struct Reload {
    keys: PathBuf,
    issuer: String,
    shop: Arc<Shop>,
    certificate: Option<(TlsFiles, RustlsConfig)>,
}

/// Watches until it is aborted.
///
/// # Errors
/// Signals cannot be listened for.
pub fn watch(
    settings: &Settings,
    shop: Arc<Shop>,
    tls: Option<RustlsConfig>,
) -> anyhow::Result<JoinHandle<()>> {
    let reload = Reload {
        keys: settings.storage.keys.clone(),
        issuer: settings.auth.issuer.clone(),
        shop,
        certificate: settings.server.tls.clone().zip(tls),
    };
    let mut hang_up = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    // Nothing is taken as seen: a rotation between the start and now is picked up, too.
    let mut seen = None;
    Ok(tokio::spawn(async move {
        let mut tick = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    let now = reload.stamp();
                    if now != seen && reload.keys() {
                        seen = now;
                    }
                }
                Some(()) = hang_up.recv() => {
                    let now = reload.stamp();
                    seen = now.filter(|_| reload.keys());
                    reload.certificate();
                }
            }
        }
    }))
}

/// Tells the servers that share the stores which keys this one has.
pub fn publish_keys(shop: &Shop) {
    let names = shop.keys.current().names();
    for at in &shop.markets {
        at.store.publish_keys(names.clone());
    }
}

impl Reload {
    fn stamp(&self) -> Stamp {
        let metadata = std::fs::metadata(&self.keys).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    /// Takes the file's keys. False if one of them is to sign later, so that it must be asked
    /// again.
    fn keys(&self) -> bool {
        match Keys::load(&self.keys) {
            Ok(Some(keys)) => {
                let now = self.shop.clock.now();
                self.shop.replace_keys(keys.token_keys(&self.issuer, now));
                publish_keys(&self.shop);
                tracing::debug!("keys read");
                return keys.is_settled(now);
            }
            Ok(None) => tracing::error!("the key file is gone; the keys in memory stay in force"),
            Err(error) => {
                tracing::error!("keys not read again, those in memory stay in force: {error:#}");
            }
        }
        true
    }

    fn certificate(&self) {
        let Some((files, tls)) = &self.certificate else { return };
        match tls::load(files) {
            Ok(config) => {
                tls.reload_from_config(config);
                tracing::info!("certificate read again");
            }
            Err(error) => {
                tracing::error!("certificate not read again, the old one stays in use: {error}");
            }
        }
    }
}
