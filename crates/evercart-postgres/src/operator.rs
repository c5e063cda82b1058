//! The operators' SQL: finding, blocking and signing out a customer, whether the store is a demo,
//! whether it is ready.

mod fill;
mod rows;

use async_trait::async_trait;
use evercart_core::account::OpenOrders;
use evercart_core::code::KeyedHash;
use evercart_core::copy::Erasure;
use evercart_core::error::{Failed, Refused, Result as StoreResult};
use evercart_core::ids::{OrderId, UserId};
use evercart_core::money::Currency;
use evercart_core::operator::{
    By, CheckReport, DemoCustomer, FormerCustomer, MoveBack, Operator, UserFile,
};
use evercart_core::order::OrderEnd;
use evercart_core::phone::Phone;
use evercart_core::user::{Session, User};
use jiff::Timestamp;

use crate::account::forget_early_keys;
use crate::actor::audit;
use crate::db::{Db, Result, snapshot, transact, unsigned};
use crate::heartbeat::Wakeful;
use crate::migrate::other_version;
use crate::sign_in::{
    create_user, end_sessions, lock_phones, pass_over_user, user, user_id_of, user_with_phone,
};
use crate::{Postgres, SCHEMA_VERSION, check, erasing, order, phone_change};

#[async_trait]
impl Operator for Postgres {
    async fn find_user(&self, phone: Phone) -> StoreResult<UserFile> {
        snapshot!(self, |db| file_by_phone(&db, &phone))
    }

    async fn former_customers(&self, phone: KeyedHash) -> StoreResult<Vec<FormerCustomer>> {
        snapshot!(self, |db| former_customers(&db, phone))
    }

    async fn end_order(&self, id: OrderId, end: OrderEnd, by: By) -> StoreResult<UserId> {
        transact!(self, |db| end_order(&db, id, end, &by))
    }

    async fn forget_books(&self, before: Timestamp) -> StoreResult<u32> {
        let before = before.as_millisecond();
        transact!(self, |db| erasing::forget_books(&db, before))
    }

    async fn note_look(&self, user_id: UserId, by: By) -> StoreResult<()> {
        const LOCK: &str = "SELECT 1 FROM users WHERE id = $1 FOR UPDATE";
        transact!(self, |db| async {
            let there = db.query_opt(LOCK, &[&user_id.0]).await?;
            there.ok_or(Refused::NotFound { what: "customer" })?;
            audit(&db, user_id, "show", &by).await
        })
    }

    async fn erase_user(
        &self,
        phone: Phone,
        phone_hash: Option<KeyedHash>,
        open_orders: OpenOrders,
        by: By,
    ) -> StoreResult<UserId> {
        let erasure = transact!(self, |db| erase_user(&db, &phone, phone_hash, open_orders, &by))?;
        self.list_erased(erasure).await;
        self.tell_of_change(erasure.user_id);
        Ok(erasure.user_id)
    }

    async fn move_phone_back(&self, decision: MoveBack, by: By) -> StoreResult<User> {
        let id = decision.user_id;
        let user = transact!(self, |db| async {
            phone_change::move_back(&db, &decision, &by).await?;
            Ok(user(&db, id).await?.ok_or(Refused::UnknownUser)?)
        })?;
        self.tell_of_change(id);
        Ok(user)
    }

    async fn confirm_phone_change(
        &self,
        user_id: UserId,
        phone: Phone,
        by: By,
    ) -> StoreResult<User> {
        let user = transact!(self, |db| async {
            phone_change::confirm(&db, user_id, &phone, &by).await?;
            Ok(user(&db, user_id).await?.ok_or(Refused::UnknownUser)?)
        })?;
        self.tell_of_change(user_id);
        Ok(user)
    }

    async fn block_user(&self, phone: Phone, by: By) -> StoreResult<User> {
        self.act_on(&phone, Action::Block, &by).await
    }

    async fn unblock_user(&self, phone: Phone, by: By) -> StoreResult<User> {
        self.act_on(&phone, Action::Unblock, &by).await
    }

    async fn sign_user_out(&self, phone: Phone, by: By) -> StoreResult<User> {
        self.act_on(&phone, Action::SignOut, &by).await
    }

    async fn check(&self) -> StoreResult<CheckReport> {
        check::check(&self.target).await
    }

    async fn is_demo(&self) -> StoreResult<bool> {
        const IS_DEMO: &str = "SELECT 1 FROM store_facts WHERE name = 'demo'";
        Ok(self.look(IS_DEMO, &[]).await?.is_some())
    }

    async fn become_demo(&self) -> StoreResult<bool> {
        transact!(self, |db| become_demo(&db))
    }

    async fn currency(&self, configured: Currency) -> StoreResult<Currency> {
        if let Some(pinned) = snapshot!(self, |db| pinned_currency(&db))? {
            return Ok(pinned);
        }
        transact!(self, |db| pin_currency(&db, configured))
    }

    async fn fill_demo(&self, customers: Vec<DemoCustomer>) -> StoreResult<Vec<Session>> {
        transact!(self, |db| fill::fill(&db, &customers))
    }

    async fn ready(&self) -> StoreResult<()> {
        const LOOK: &str = "SELECT (SELECT max(version) FROM schema_version), \
             pg_is_in_recovery() OR current_setting('transaction_read_only')::BOOLEAN";
        let row = self.look(LOOK, &[]).await?;
        let (version, takes_no_writes) = match &row {
            Some(row) => (row.get::<_, Option<i32>>(0).unwrap_or(0), row.get(1)),
            None => (0, false),
        };
        if u32::try_from(version) != Ok(SCHEMA_VERSION) {
            Err(other_version(version).into())
        } else if takes_no_writes {
            let place = &self.target.place;
            Err(Failed::ReadOnly(format!(
                "{place} is a standby, or default_transaction_read_only is on for its role, \
                 database or server"
            ))
            .into())
        } else if let Some(why) = self.keeper.wakeful().and_then(Wakeful::gives_way) {
            Err(Failed::Unavailable(why).into())
        } else {
            Ok(())
        }
    }
}

/// What an operator does to a customer.
#[derive(Debug, Clone, Copy)]
enum Action {
    Block,
    Unblock,
    SignOut,
}

impl Postgres {
    /// Makes a customer with a chosen id, as the guide's walk-through has one. Later customers get
    /// ids beyond it.
    ///
    /// # Errors
    /// `Inconsistent` if the id or the phone is taken.
    pub async fn create_demo_user(&self, id: UserId, phone: Phone) -> StoreResult<()> {
        transact!(self, |db| async {
            if user_id_of(&db, &phone).await?.is_some() {
                return Err(Failed::Inconsistent("the phone is a customer's".into()).into());
            }
            pass_over_user(&db, id).await?;
            create_user(&db, Some(id), &phone, None).await?;
            Ok(())
        })
    }

    async fn act_on(&self, phone: &Phone, action: Action, by: &By) -> StoreResult<User> {
        let user = transact!(self, |db| act(&db, phone, action, by))?;
        self.tell_of_change(user.id);
        Ok(user)
    }
}

async fn act(db: &Db<'_>, phone: &Phone, action: Action, by: &By) -> Result<User> {
    const BLOCK: &str = "UPDATE users SET blocked_at = coalesce(blocked_at, $2) WHERE id = $1";
    const UNBLOCK: &str = "UPDATE users SET blocked_at = NULL WHERE id = $1";
    let id = user_id_of(db, phone).await?.ok_or(Refused::NotFound { what: "customer" })?;
    let word = match action {
        Action::Block => {
            end_sessions(db, id).await?;
            db.change_one(BLOCK, &[&id.0, &db.now()]).await?;
            "block"
        }
        Action::Unblock => {
            db.change_one(UNBLOCK, &[&id.0]).await?;
            "unblock"
        }
        Action::SignOut => {
            end_sessions(db, id).await?;
            "sign-out"
        }
    };
    audit(db, id, word, by).await?;
    Ok(user(db, id).await?.ok_or(Refused::UnknownUser)?)
}

async fn end_order(db: &Db<'_>, id: OrderId, end: OrderEnd, by: &By) -> Result<UserId> {
    const WHOSE: &str = "SELECT user_id FROM orders WHERE id = $1";
    const LOCK: &str = "SELECT 1 FROM users WHERE id = $1 FOR UPDATE";
    let row = db.query_opt(WHOSE, &[&id.0]).await?;
    let user = UserId(row.ok_or(Refused::NotFound { what: "order" })?.get(0));
    db.query_one(LOCK, &[&user.0]).await?;
    order::end(db, user, id, end.status(), |status| end.is_open_to(status)).await?;
    audit(db, user, "end-order", by).await?;
    Ok(user)
}

async fn erase_user(
    db: &Db<'_>,
    phone: &Phone,
    phone_hash: Option<KeyedHash>,
    open_orders: OpenOrders,
    by: &By,
) -> Result<Erasure> {
    const LOCK: &str = "SELECT phone FROM users WHERE id = $1 FOR UPDATE";
    const NOBODY: Refused = Refused::NotFound { what: "customer" };
    if let Some(hash) = phone_hash {
        lock_phones(db, &[hash]).await?;
    }
    let id = user_id_of(db, phone).await?.ok_or(NOBODY)?;
    let row = db.query_one(LOCK, &[&id.0]).await?;
    // Moved or erased while this waited.
    if row.get::<_, &str>(0) != phone.as_str() {
        return Err(NOBODY.into());
    }
    phone_change::refuse_on_hold(db, id).await?;
    if phone_change::state_of(db, id).await?.frozen.is_some() {
        return Err(Refused::PhoneOnHold { until: None }.into());
    }
    let erasure = erasing::erase(db, id, phone, open_orders, None).await?;
    forget_early_keys(db, phone_hash.as_slice()).await?;
    audit(db, id, "erase", by).await?;
    Ok(erasure)
}

async fn file_by_phone(db: &Db<'_>, phone: &Phone) -> Result<UserFile> {
    let user = user_with_phone(db, phone).await?.ok_or(Refused::NotFound { what: "customer" })?;
    file_of(db, user).await
}

async fn former_customers(db: &Db<'_>, phone: KeyedHash) -> Result<Vec<FormerCustomer>> {
    let mut customers = Vec::new();
    for (id, left_at) in phone_change::who_left(db, phone).await? {
        let user = user(db, id).await?.ok_or(Refused::UnknownUser)?;
        customers.push(FormerCustomer { file: file_of(db, user).await?, left_at });
    }
    Ok(customers)
}

async fn file_of(db: &Db<'_>, user: User) -> Result<UserFile> {
    const COUNTS: &str = "SELECT (SELECT count(*) FROM cart_items WHERE user_id = $1), \
         (SELECT count(*) FROM wishlist_items WHERE user_id = $1), \
         (SELECT count(*) FROM orders WHERE user_id = $1)";
    let row = db.query_one(COUNTS, &[&user.id.0]).await?;
    Ok(UserFile {
        former_phones: phone_change::former_phones(db, user.id).await?,
        phone_change: phone_change::state_of(db, user.id).await?,
        user,
        cart_lines: unsigned(row.get(0)),
        wishes: unsigned(row.get(1)),
        orders: unsigned(row.get(2)),
    })
}

async fn become_demo(db: &Db<'_>) -> Result<bool> {
    const IS_EMPTY: &str =
        "SELECT NOT EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM products)";
    const KEEP_EMPTY: &str = "LOCK TABLE users, products IN SHARE MODE";
    const BECOME: &str = "INSERT INTO store_facts (name, value) VALUES ('demo', 'true') \
         ON CONFLICT (name) DO NOTHING";
    // A shop in use is looked at without making anybody wait.
    if !db.query_one(IS_EMPTY, &[]).await?.get::<_, bool>(0) {
        return Ok(false);
    }
    db.execute(KEEP_EMPTY, &[]).await?;
    if !db.query_one(IS_EMPTY, &[]).await?.get::<_, bool>(0) {
        return Ok(false);
    }
    Ok(db.execute(BECOME, &[]).await? == 1)
}

async fn pinned_currency(db: &Db<'_>) -> Result<Option<Currency>> {
    const PINNED: &str = "SELECT value FROM store_facts WHERE name = 'currency'";
    let Some(row) = db.query_opt(PINNED, &[]).await? else { return Ok(None) };
    let code: String = row.get(0);
    let unknown = |_| Failed::Inconsistent(format!("{code:?} is no currency"));
    Ok(Some(code.parse().map_err(unknown)?))
}

async fn pin_currency(db: &Db<'_>, configured: Currency) -> Result<Currency> {
    // Asked by itself: on a cluster the facts lie elsewhere than the orders.
    const FOUND: &str = "SELECT (SELECT currency FROM orders ORDER BY id DESC LIMIT 1), \
         EXISTS (SELECT 1 FROM products)";
    const PIN: &str = "INSERT INTO store_facts (name, value) VALUES ('currency', $1) \
         ON CONFLICT (name) DO NOTHING";
    let found = db.query_one(FOUND, &[]).await?;
    let of_orders: Option<String> = found.get(0);
    if of_orders.is_none() && !found.get::<_, bool>(1) {
        return Ok(configured);
    }
    let code = of_orders.unwrap_or_else(|| configured.code().to_owned());
    db.execute(PIN, &[&code]).await?;
    Ok(pinned_currency(db).await?.unwrap_or(configured))
}
