//! Reading carts: those that are asked for at the same moment in one statement, a lone one by its
//! key.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use evercart_core::error::{Refused, Result as StoreResult};
use evercart_core::user::Session;
use futures_util::future::try_join;
use tokio_postgres::{Client, Row, Statement};

use crate::actor::compare;
use crate::batch::Call;
use crate::cart::{CartContent, LineContent};
use crate::connect::Target;
use crate::db::Result;
use crate::distribute::{self, ON_HAND};

/// Checks one user and reads their cart. What all rows have in common is looked up once, not joined
/// to each of them.
pub(crate) const ONE: &str = "SELECT u.id, u.is_active, u.blocked_at IS NOT NULL, \
     u.session_epoch, (SELECT value FROM incarnation), (SELECT version FROM catalogue_version), \
     c.version, c.updated_at, i.id, i.sku_id, i.quantity, i.price_when_added, s.on_hand \
     FROM users u \
     LEFT JOIN carts c ON c.user_id = u.id \
     LEFT JOIN cart_items i ON i.user_id = u.id \
     LEFT JOIN stock s ON s.sku_id = i.sku_id WHERE u.id = $1";

/// The same for several users.
pub(crate) const MANY: &str = "SELECT u.id, u.is_active, u.blocked_at IS NOT NULL, \
     u.session_epoch, (SELECT value FROM incarnation), (SELECT version FROM catalogue_version), \
     c.version, c.updated_at, i.id, i.sku_id, i.quantity, i.price_when_added, s.on_hand \
     FROM unnest($1::BIGINT[]) AS q (user_id) JOIN users u ON u.id = q.user_id \
     LEFT JOIN carts c ON c.user_id = u.id \
     LEFT JOIN cart_items i ON i.user_id = u.id \
     LEFT JOIN stock s ON s.sku_id = i.sku_id";

/// The same for several users of one server of a cluster. In place of the pieces on hand, which lie
/// elsewhere, there is a 0.
const BESIDE: &str = "SELECT user_id, is_active, is_blocked, session_epoch, incarnation, \
     catalogue_version, \
     version, updated_at, line_id, sku_id, quantity, price, on_hand FROM carts_beside($1, $2)";

/// A customer whose cart is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CartQuestion {
    pub(crate) session: Session,
    /// Where the customer lies, on a cluster.
    pub(crate) server: Option<i64>,
}

/// The statements on one connection.
pub(crate) enum CartRead {
    OneServer { one: Statement, many: Statement },
    Cluster { beside: Statement, on_hand: Statement },
}

/// What the rows of one user say.
struct Found {
    is_active: bool,
    is_blocked: bool,
    epoch: i64,
    incarnation: i64,
    content: CartContent,
}

impl Call for CartRead {
    type Request = CartQuestion;
    type Answer = CartContent;

    const MAY_BE_REPEATED: bool = true;

    async fn prepare(client: &Client, target: &Target) -> Result<Self> {
        let (first, second) = match target.distributed {
            false => (ONE, MANY),
            true => (BESIDE, ON_HAND),
        };
        let (first, second) = try_join(client.prepare(first), client.prepare(second)).await?;
        Ok(match target.distributed {
            false => Self::OneServer { one: first, many: second },
            true => Self::Cluster { beside: first, on_hand: second },
        })
    }

    /// On a cluster those of one server.
    fn take_together(questions: &[&CartQuestion]) -> Vec<usize> {
        let server = questions.first().and_then(|first| first.server);
        (0..questions.len()).filter(|place| questions[*place].server == server).collect()
    }

    async fn ask(
        &self,
        client: &Client,
        questions: &[&CartQuestion],
    ) -> Result<Vec<StoreResult<CartContent>>> {
        let mut found: HashMap<i64, Found> = HashMap::with_capacity(questions.len());
        let users = || {
            let mut ids: Vec<_> =
                questions.iter().map(|question| question.session.user_id.0).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let rows = match (self, questions) {
            (_, []) => Vec::new(),
            (Self::OneServer { one, .. }, [question]) => {
                client.query(one, &[&question.session.user_id.0]).await?
            }
            (Self::OneServer { many, .. }, _) => client.query(many, &[&users()]).await?,
            (Self::Cluster { beside, .. }, [question, ..]) => {
                client.query(beside, &[&question.session.user_id.0, &users()]).await?
            }
        };
        for row in &rows {
            take(row, &mut found);
        }
        if let Self::Cluster { on_hand, .. } = self {
            take_stock(client, on_hand, &mut found).await?;
        }
        Ok(questions.iter().map(|question| answer(question.session, &found)).collect())
    }
}

/// Puts in the pieces on hand.
async fn take_stock(
    client: &Client,
    on_hand: &Statement,
    found: &mut HashMap<i64, Found>,
) -> Result<()> {
    let lines = found.values().flat_map(|user| &user.content.lines);
    let skus = lines.map(|line| line.sku_id).collect();
    let stock = distribute::on_hand(client, on_hand, skus).await?;
    found.values_mut().for_each(|user| user.content.put_stock(&stock));
    Ok(())
}

fn take(row: &Row, found: &mut HashMap<i64, Found>) {
    let user = match found.entry(row.get(0)) {
        Entry::Occupied(user) => user.into_mut(),
        Entry::Vacant(new) => new.insert(Found {
            is_active: row.get(1),
            is_blocked: row.get(2),
            epoch: row.get(3),
            incarnation: row.get(4),
            content: CartContent {
                catalogue_version: row.get(5),
                version: row.get::<_, Option<i64>>(6).unwrap_or(0),
                updated_at: row.get(7),
                lines: Vec::with_capacity(8),
            },
        }),
    };
    if let Some(id) = row.get(8) {
        user.content.lines.push(LineContent {
            id,
            sku_id: row.get(9),
            quantity: row.get(10),
            price_when_added: row.get(11),
            on_hand: row.get(12),
        });
    }
}

fn answer(session: Session, found: &HashMap<i64, Found>) -> StoreResult<CartContent> {
    let user = found.get(&session.user_id.0).ok_or(Refused::UnknownUser)?;
    compare(session, user.is_active, user.is_blocked, user.epoch, user.incarnation)?;
    Ok(user.content.clone())
}
