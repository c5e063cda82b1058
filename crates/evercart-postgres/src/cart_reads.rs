//! Reading carts: those that are asked for at the same moment in one statement, a lone one by its
//! key.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use evercart_core::error::{Refused, Result as StoreResult};
use evercart_core::user::Session;
use tokio_postgres::{Client, Row, Statement};

use crate::actor::compare;
use crate::batch::Call;
use crate::cart::{CartContent, LineContent};
use crate::db::Result;

/// Checks one user and reads their cart.
pub(crate) const ONE: &str = "SELECT u.id, u.is_active, u.blocked_at IS NOT NULL, \
     u.session_epoch, v.version, \
     c.version, c.updated_at, i.id, i.sku_id, i.quantity, i.price_when_added, s.on_hand \
     FROM users u CROSS JOIN catalogue_version v \
     LEFT JOIN carts c ON c.user_id = u.id \
     LEFT JOIN cart_items i ON i.user_id = u.id \
     LEFT JOIN stock s ON s.sku_id = i.sku_id WHERE u.id = $1";

/// The same for several users.
pub(crate) const MANY: &str = "SELECT u.id, u.is_active, u.blocked_at IS NOT NULL, \
     u.session_epoch, v.version, \
     c.version, c.updated_at, i.id, i.sku_id, i.quantity, i.price_when_added, s.on_hand \
     FROM unnest($1::BIGINT[]) AS q (user_id) JOIN users u ON u.id = q.user_id \
     CROSS JOIN catalogue_version v \
     LEFT JOIN carts c ON c.user_id = u.id \
     LEFT JOIN cart_items i ON i.user_id = u.id \
     LEFT JOIN stock s ON s.sku_id = i.sku_id";

/// The statements on one connection.
pub(crate) struct CartRead {
    one: Statement,
    many: Statement,
}

/// What the rows of one user say.
struct Found {
    is_active: bool,
    is_blocked: bool,
    epoch: i64,
    content: CartContent,
}

impl Call for CartRead {
    type Request = Session;
    type Answer = CartContent;

    const MAY_BE_REPEATED: bool = true;

    async fn prepare(client: &Client) -> Result<Self> {
        Ok(Self { one: client.prepare(ONE).await?, many: client.prepare(MANY).await? })
    }

    async fn ask(
        &self,
        client: &Client,
        sessions: &[&Session],
    ) -> Result<Vec<StoreResult<CartContent>>> {
        let mut found: HashMap<i64, Found> = HashMap::with_capacity(sessions.len());
        let rows = match sessions {
            [] => Vec::new(),
            [session] => client.query(&self.one, &[&session.user_id.0]).await?,
            several => {
                let mut ids: Vec<_> = several.iter().map(|session| session.user_id.0).collect();
                ids.sort_unstable();
                ids.dedup();
                client.query(&self.many, &[&ids]).await?
            }
        };
        for row in &rows {
            take(row, &mut found);
        }
        Ok(sessions.iter().map(|session| answer(**session, &found)).collect())
    }
}

fn take(row: &Row, found: &mut HashMap<i64, Found>) {
    let user = match found.entry(row.get(0)) {
        Entry::Occupied(user) => user.into_mut(),
        Entry::Vacant(new) => new.insert(Found {
            is_active: row.get(1),
            is_blocked: row.get(2),
            epoch: row.get(3),
            content: CartContent {
                catalogue_version: row.get(4),
                version: row.get::<_, Option<i64>>(5).unwrap_or(0),
                updated_at: row.get(6),
                lines: Vec::with_capacity(8),
            },
        }),
    };
    if let Some(id) = row.get(7) {
        user.content.lines.push(LineContent {
            id,
            sku_id: row.get(8),
            quantity: row.get(9),
            price_when_added: row.get(10),
            on_hand: row.get(11),
        });
    }
}

fn answer(session: Session, found: &HashMap<i64, Found>) -> StoreResult<CartContent> {
    let user = found.get(&session.user_id.0).ok_or(Refused::UnknownUser)?;
    compare(session, user.is_active, user.is_blocked, user.epoch)?;
    Ok(user.content.clone())
}
