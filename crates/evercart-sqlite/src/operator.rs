//! The operators' SQL: finding, blocking and signing out a customer, checking, filling a demo.

use async_trait::async_trait;
use evercart_core::account::OpenOrders;
use evercart_core::code::KeyedHash;
use evercart_core::error::{Failed, Refused, Result as StoreResult};
use evercart_core::ids::{OrderId, SkuId, UserId};
use evercart_core::money::Currency;
use evercart_core::operator::{
    By, CheckReport, DemoCustomer, FormerCustomer, MoveBack, Operator, UserFile,
};
use evercart_core::order::OrderEnd;
use evercart_core::phone::Phone;
use evercart_core::user::{Session, User};
use jiff::Timestamp;
use rusqlite::OptionalExtension;

use crate::account::forget_early_keys;
use crate::actor::audit;
use crate::db::{Db, Result, unsigned};
use crate::open_cart::OpenCart;
use crate::sign_in::{create_user, end_sessions, user, user_id_of, user_with_phone};
use crate::{Sqlite, check, erasing, life, order, phone_change, wishlist};

#[async_trait]
impl Operator for Sqlite {
    async fn find_user(&self, phone: Phone) -> StoreResult<UserFile> {
        self.readers
            .read_snapshot(move |db| {
                let user = user_with_phone(db, &phone)?;
                file_of(db, user.ok_or(Refused::NotFound { what: "customer" })?)
            })
            .await
    }

    async fn former_customers(&self, phone: KeyedHash) -> StoreResult<Vec<FormerCustomer>> {
        self.readers
            .read_snapshot(move |db| {
                let mut customers = Vec::new();
                for (id, left_at) in phone_change::who_left(db, phone)? {
                    let user = user(db, id)?.ok_or(Refused::UnknownUser)?;
                    customers.push(FormerCustomer { file: file_of(db, user)?, left_at });
                }
                Ok(customers)
            })
            .await
    }

    async fn end_order(&self, id: OrderId, end: OrderEnd, by: By) -> StoreResult<UserId> {
        const WHOSE: &str = "SELECT user_id FROM orders WHERE id = ?1";
        const NONE: Refused = Refused::NotFound { what: "order" };
        // Found without making others wait: orders lie with their customers. An order stays theirs.
        let whose = self.readers.read(move |db| {
            let row = db.sql(WHOSE)?.query_row([id.0], |row| row.get(0).map(UserId));
            Ok(row.optional()?.ok_or(NONE)?)
        });
        let user = whose.await?;
        self.writer
            .write(move |db| {
                order::end(db, user, id, end.status(), |status| end.is_open_to(status))?;
                audit(db, user, "end-order", &by)?;
                Ok(user)
            })
            .await
    }

    async fn forget_books(&self, before: Timestamp) -> StoreResult<u32> {
        let before = before.as_millisecond();
        self.writer.write(move |db| erasing::forget_books(db, before)).await
    }

    async fn note_look(&self, user_id: UserId, by: By) -> StoreResult<()> {
        self.writer
            .write(move |db| {
                user(db, user_id)?.ok_or(Refused::NotFound { what: "customer" })?;
                audit(db, user_id, "show", &by)
            })
            .await
    }

    async fn erase_user(
        &self,
        phone: Phone,
        phone_hash: Option<KeyedHash>,
        open_orders: OpenOrders,
        by: By,
    ) -> StoreResult<UserId> {
        let erased = self
            .writer
            .write(move |db| {
                let id = user_id_of(db, &phone)?.ok_or(Refused::NotFound { what: "customer" })?;
                phone_change::refuse_on_hold(db, id)?;
                phone_change::refuse_frozen(db, id)?;
                erasing::erase(db, id, open_orders, None)?;
                forget_early_keys(db, phone_hash.as_slice())?;
                audit(db, id, "erase", &by)?;
                Ok(id)
            })
            .await?;
        self.signals.changed(erased);
        Ok(erased)
    }

    async fn move_phone_back(&self, decision: MoveBack, by: By) -> StoreResult<User> {
        let id = decision.user_id;
        self.settle(id, move |db| phone_change::move_back(db, &decision, &by)).await
    }

    async fn confirm_phone_change(
        &self,
        user_id: UserId,
        phone: Phone,
        by: By,
    ) -> StoreResult<User> {
        self.settle(user_id, move |db| phone_change::confirm(db, user_id, &phone, &by)).await
    }

    async fn block_user(&self, phone: Phone, by: By) -> StoreResult<User> {
        const BLOCK: &str = "UPDATE users SET blocked_at = coalesce(blocked_at, ?2) WHERE id = ?1";
        self.act_on(phone, "block", by, |db, id| {
            end_sessions(db, id)?;
            db.change_one(BLOCK, (id.0, db.now()))
        })
        .await
    }

    async fn unblock_user(&self, phone: Phone, by: By) -> StoreResult<User> {
        const UNBLOCK: &str = "UPDATE users SET blocked_at = NULL WHERE id = ?1";
        self.act_on(phone, "unblock", by, |db, id| db.change_one(UNBLOCK, [id.0])).await
    }

    async fn sign_user_out(&self, phone: Phone, by: By) -> StoreResult<User> {
        self.act_on(phone, "sign-out", by, end_sessions).await
    }

    async fn check(&self) -> StoreResult<CheckReport> {
        self.readers.read_snapshot(|db| check::check(&db.connection)).await
    }

    async fn is_demo(&self) -> StoreResult<bool> {
        const IS_DEMO: &str = "SELECT 1 FROM store_facts WHERE name = 'demo'";
        self.readers
            .read(|db| Ok(db.sql(IS_DEMO)?.query_row([], |_| Ok(())).optional()?.is_some()))
            .await
    }

    async fn become_demo(&self) -> StoreResult<bool> {
        const BECOME: &str = "INSERT INTO store_facts (name, value) SELECT 'demo', 'true' \
             WHERE NOT EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM products) \
             ON CONFLICT (name) DO NOTHING";
        self.writer.write(|db| Ok(db.sql(BECOME)?.execute([])? == 1)).await
    }

    async fn currency(&self, configured: Currency) -> StoreResult<Currency> {
        if let Some(pinned) = self.readers.read(pinned_currency).await? {
            return Ok(pinned);
        }
        self.writer
            .write(move |db| {
                const PIN: &str = "INSERT INTO store_facts (name, value) SELECT 'currency', \
                     coalesce((SELECT currency FROM orders ORDER BY id DESC LIMIT 1), ?1) \
                     WHERE EXISTS (SELECT 1 FROM products) OR EXISTS (SELECT 1 FROM orders) \
                     ON CONFLICT (name) DO NOTHING";
                db.sql(PIN)?.execute([configured.code()])?;
                Ok(pinned_currency(db)?.unwrap_or(configured))
            })
            .await
    }

    async fn fill_demo(&self, customers: Vec<DemoCustomer>) -> StoreResult<Vec<Session>> {
        self.writer
            .write(move |db| {
                let mut sessions = Vec::with_capacity(customers.len());
                for customer in &customers {
                    if let Some(session) = fill(db, customer)? {
                        sessions.push(session);
                    }
                }
                Ok(sessions)
            })
            .await
    }

    async fn ready(&self) -> StoreResult<()> {
        const READ: &str = "SELECT version FROM catalogue_version";
        self.readers
            .read(|db| Ok(db.sql(READ)?.query_row([], |row| row.get::<_, i64>(0)).map(|_| ())?))
            .await
    }
}

impl Sqlite {
    /// Makes a customer with a chosen id, as the guide's walk-through has one. Later customers get
    /// ids beyond it.
    ///
    /// # Errors
    /// `Inconsistent` if the id or the phone is taken.
    pub async fn create_demo_user(&self, id: UserId, phone: Phone) -> StoreResult<()> {
        const SKIP: &str = "UPDATE counters SET next = max(next, ?1 + 1) WHERE name = 'user'";
        self.writer
            .write(move |db| {
                db.change_one(SKIP, [id.0])?;
                db.reserve("user", id.0 + 1)?;
                create_user(db, Some(id), &phone, None)?;
                Ok(())
            })
            .await
    }

    /// Settles a change of phone.
    async fn settle<F>(&self, id: UserId, act: F) -> StoreResult<User>
    where
        F: FnOnce(&Db) -> Result<()> + Send + 'static,
    {
        let user = self
            .writer
            .write(move |db| {
                act(db)?;
                Ok(user(db, id)?.ok_or(Refused::UnknownUser)?)
            })
            .await?;
        self.signals.changed(user.id);
        Ok(user)
    }

    async fn act_on<F>(
        &self,
        phone: Phone,
        action: &'static str,
        by: By,
        act: F,
    ) -> StoreResult<User>
    where
        F: FnOnce(&Db, UserId) -> Result<()> + Send + 'static,
    {
        let user = self
            .writer
            .write(move |db| {
                let id = user_id_of(db, &phone)?.ok_or(Refused::NotFound { what: "customer" })?;
                act(db, id)?;
                audit(db, id, action, &by)?;
                Ok(user(db, id)?.ok_or(Refused::UnknownUser)?)
            })
            .await?;
        self.signals.changed(user.id);
        Ok(user)
    }
}

fn file_of(db: &Db, user: User) -> Result<UserFile> {
    const COUNTS: &str = "SELECT (SELECT count(*) FROM cart_items WHERE user_id = ?1), \
         (SELECT count(*) FROM wishlist_items WHERE user_id = ?1), \
         (SELECT count(*) FROM orders WHERE user_id = ?1)";
    let (cart_lines, wishes, orders) = db.sql(COUNTS)?.query_row([user.id.0], |row| {
        Ok((unsigned(row.get(0)?), unsigned(row.get(1)?), unsigned(row.get(2)?)))
    })?;
    let former_phones = phone_change::former_phones(db, user.id)?;
    let phone_change = phone_change::state_of(db, user.id)?;
    Ok(UserFile { user, cart_lines, wishes, orders, former_phones, phone_change })
}

/// Makes one made-up customer through the same statements as a real one. `None` if the phone is
/// known already.
fn fill(db: &Db, customer: &DemoCustomer) -> Result<Option<Session>> {
    const SIGN_IN: &str = "UPDATE users SET is_active = 1, last_login = ?2 WHERE id = ?1";
    if user_id_of(db, &customer.phone)?.is_some() {
        return Ok(None);
    }
    let id = create_user(db, None, &customer.phone, Some(&customer.full_name))?;
    db.change_one(SIGN_IN, (id.0, db.now()))?;
    let incarnation = life::life(db)?.incarnation;
    let session = Session { user_id: id, epoch: 0, incarnation };
    let mut open = OpenCart::of(db, session)?;
    for (checkout, lines) in &customer.orders {
        fill_cart(db, &mut open, lines)?;
        order::order_cart(db, &mut open, checkout)?;
        // What is left of the stock is read anew.
        open = OpenCart::of(db, session)?;
    }
    fill_cart(db, &mut open, &customer.cart)?;
    for product in &customer.wishes {
        wishlist::add(db, open.actor, *product)?;
    }
    Ok(Some(session))
}

fn fill_cart(db: &Db, open: &mut OpenCart, lines: &[(SkuId, u32)]) -> Result<()> {
    for (sku_id, quantity) in lines {
        open.add(db, *sku_id, *quantity)?;
    }
    Ok(())
}

fn pinned_currency(db: &Db) -> Result<Option<Currency>> {
    const PINNED: &str = "SELECT value FROM store_facts WHERE name = 'currency'";
    let pinned: Option<String> = db.sql(PINNED)?.query_row([], |row| row.get(0)).optional()?;
    let unknown = |code: &str| Failed::Inconsistent(format!("{code:?} is no currency"));
    let parsed = pinned.map(|code| code.parse().map_err(|_| unknown(&code))).transpose();
    Ok(parsed?)
}
