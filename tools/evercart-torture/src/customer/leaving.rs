//! A customer who signs out while adds are on their way, and is back before they arrive: what such
//! an add does is there by then, or it is never done.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tokio::task::JoinHandle;

use super::sign_in::PATIENCE;
use super::{Device, Token, Way};
use crate::client::Connection;
use crate::history::{Intent, Told};
use crate::world::PLENTIFUL;

/// How far adds and the sign-out are apart, in milliseconds.
const APART_MAX: u64 = 8;
/// Looks at the cart while adds of the old session may still arrive.
const LOOKS_MAX: usize = 16;

impl Device {
    /// Signs out amid adds of the same session, signs in with a code that is there already, and
    /// looks at the cart until the adds have been answered.
    pub(super) async fn leave_amid_adds(&mut self) {
        let Some(token) = self.token().await else { return };
        let customer = Arc::clone(&self.customer);
        let phones = customer.phones.lock().await;
        let Some(code) = self.code_for(phones.current).await else { return };
        let adds: Vec<_> = (0..self.rng.random_range(4..9)).map(|_| self.add(&token)).collect();
        // All by one server, so that the others may be as slow as they like.
        let server = self.rng.random_range(0..self.shared.world.places.len());
        self.apart().await;
        let prepared = customer.prepare(&self.shared, Intent::Logout, false);
        let way = Way { server, ..self.way(Some(token), PATIENCE) };
        let told = self.send(&prepared, &way).await.told;
        self.token = None;
        if told == Some(Told::SignedOut) {
            let way = Way { server, ..self.way(None, PATIENCE) };
            let back = self.show_code(phones.current, &code, &way).await;
            self.token = back.filter(|(_, is_ours)| *is_ours).map(|(token, _)| token);
        }
        drop(phones);
        if let Some(token) = self.token.clone() {
            let way = Way { server, ..self.way(Some(token), PATIENCE) };
            self.look_while_under_way(&adds, &way).await;
        }
        for add in adds {
            add.await.expect("sending a request does not panic");
        }
    }

    /// An add that is on its way by itself, through any server.
    fn add(&mut self, token: &Token) -> JoinHandle<()> {
        let sku = PLENTIFUL.start + self.rng.random_range(0..8);
        let is_keyed = self.chance(30);
        let intent = Intent::Add { sku, quantity: 1 };
        let prepared = self.customer.prepare(&self.shared, intent, is_keyed);
        let way = self.way(Some(token.clone()), PATIENCE);
        let later = Duration::from_millis(self.rng.random_range(0..APART_MAX));
        let (shared, customer) = (Arc::clone(&self.shared), Arc::clone(&self.customer));
        tokio::spawn(async move {
            tokio::time::sleep(later).await;
            customer.send(&shared, &mut Connection::default(), &prepared, &way).await;
        })
    }

    async fn look_while_under_way(&mut self, adds: &[JoinHandle<()>], way: &Way) {
        for _ in 0..LOOKS_MAX {
            let prepared = self.customer.prepare(&self.shared, Intent::ReadCart, false);
            let spoken = self.send(&prepared, way).await;
            if adds.iter().all(JoinHandle::is_finished) || spoken.told.is_none() {
                return;
            }
            self.apart().await;
        }
    }

    async fn apart(&mut self) {
        let time = self.rng.random_range(0..APART_MAX);
        tokio::time::sleep(Duration::from_millis(time)).await;
    }
}
