//! Changing carts: changes that wait at the same moment are one call of one SQL function and one
//! commit, each with its own answer. Adds, the most frequent, have a function of their own, which
//! does many at once.

mod cluster;

use std::collections::HashSet;

use evercart_core::error::{Failed, Result as StoreResult};
use evercart_core::guard::Guard;
use evercart_core::user::Session;
use futures_util::future::{try_join, try_join3};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::batch::Call;
use crate::cart::{CartContent, Change, LineContent};
use crate::connect::Target;
use crate::db::{Params, Result};
use crate::distribute::ON_HAND;

/// A change that somebody waits for.
#[derive(Debug, Clone)]
pub(crate) struct CartChange {
    pub(crate) session: Session,
    pub(crate) change: Change,
    pub(crate) guard: Guard,
    /// The moment it was asked for, in milliseconds since 1970.
    pub(crate) now: i64,
    /// The most changes of a cart in an hour; the same for all.
    pub(crate) limit: u32,
    /// Where the customer lies, on a cluster.
    pub(crate) server: Option<i64>,
}

/// What became of it.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// `done`, `replayed`, or the word of a refusal.
    pub(crate) outcome: String,
    /// The number that goes with a refusal.
    pub(crate) detail: Option<i64>,
    /// The SKU that goes with a refusal.
    pub(crate) sku: Option<i64>,
    /// The cart after it.
    pub(crate) content: CartContent,
}

pub(crate) const ADD: &str = "SELECT place, outcome, detail, catalogue_version, version, \
     updated_at, line_id, \
     line_sku, line_quantity, line_price, line_on_hand FROM add_to_carts($1, $2, $3, $4, $5, $6, \
     $7, $8, $9, $10)";

pub(crate) const CHANGE: &str = "SELECT outcome, detail, catalogue_version, version, updated_at, \
     line_ids, sku_ids, \
     quantities, prices, on_hand FROM change_carts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
     $12, $13)";

/// The same for customers of one server of a cluster. In place of the pieces on hand, which lie
/// elsewhere, there is a 0.
const CHANGE_BESIDE: &str = "SELECT outcome, detail, catalogue_version, version, updated_at, \
     line_ids, sku_ids, quantities, prices, on_hand \
     FROM change_carts_beside($14, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// Which SKU a line is of. A line keeps its SKU, so what was read before a change holds in it.
const SKU_OF_LINE: &str = "SELECT sku_id FROM cart_items WHERE user_id = $1 AND id = $2";

/// The statements on one connection.
pub(crate) enum ChangeCarts {
    OneServer { add: Statement, change: Statement },
    Cluster { change: Statement, sku_of_line: Statement, on_hand: Statement },
}

impl Call for ChangeCarts {
    type Request = CartChange;
    type Answer = Answer;

    /// Whether a change without a key was made before the connection was lost, only its client can
    /// find out.
    const MAY_BE_REPEATED: bool = false;

    async fn prepare(client: &Client, target: &Target) -> Result<Self> {
        if !target.distributed {
            let (add, change) = try_join(client.prepare(ADD), client.prepare(CHANGE)).await?;
            return Ok(Self::OneServer { add, change });
        }
        let (change, sku_of_line, on_hand) = try_join3(
            client.prepare(CHANGE_BESIDE),
            client.prepare(SKU_OF_LINE),
            client.prepare(ON_HAND),
        )
        .await?;
        Ok(Self::Cluster { change, sku_of_line, on_hand })
    }

    /// Adds are one call and other changes another; on a cluster, changes on one server. A user's
    /// second change waits for the first: a call answers with each cart as it then is, so no user
    /// may be in it twice.
    fn take_together(requests: &[&CartChange]) -> Vec<usize> {
        let kind = requests.first().map(|first| kind(first));
        let mut users = HashSet::with_capacity(requests.len());
        let fits = |place: &usize| {
            let request = requests[*place];
            // The order matters: a change that has to wait makes that user's later ones wait, too.
            users.insert(request.session.user_id) && Some(self::kind(request)) == kind
        };
        (0..requests.len()).filter(fits).collect()
    }

    async fn ask(
        &self,
        client: &Client,
        changes: &[&CartChange],
    ) -> Result<Vec<StoreResult<Answer>>> {
        let Some(first) = changes.first() else { return Ok(Vec::new()) };
        // By user, so that calls at the same moment lock users in the same order.
        let mut order: Vec<_> = (0..changes.len()).collect();
        order.sort_unstable_by_key(|place| changes[*place].session.user_id);
        let sorted: Vec<_> = order.iter().map(|place| changes[*place]).collect();
        let answers = match self {
            Self::OneServer { add: statement, .. } if is_add(first) => {
                add(client, statement, &sorted).await?.into_iter().map(Ok).collect()
            }
            Self::OneServer { change: statement, .. } => {
                let columns = Columns::of(&sorted);
                change(client, statement, &columns, None).await?.into_iter().map(Ok).collect()
            }
            Self::Cluster { change, sku_of_line, on_hand } => {
                cluster::change(client, [change, sku_of_line, on_hand], &sorted).await?
            }
        };
        let mut placed: Vec<_> = order.into_iter().zip(answers).collect();
        placed.sort_unstable_by_key(|(place, _)| *place);
        Ok(placed.into_iter().map(|(_, answer)| answer).collect())
    }
}

fn is_add(change: &CartChange) -> bool {
    matches!(change.change, Change::Add { .. })
}

/// What changes have in common that are one call.
fn kind(change: &CartChange) -> (Option<i64>, bool) {
    (change.server, change.server.is_none() && is_add(change))
}

async fn add(
    client: &Client,
    statement: &Statement,
    changes: &[&CartChange],
) -> Result<Vec<Answer>> {
    let columns = Columns::of(changes);
    let Columns { users, epochs, incarnations, nows, targets, .. } = &columns;
    let Columns { quantities, versions, keys, fingerprints, .. } = &columns;
    let limit = &columns.limit;
    let params: Params<'_> = &[
        users,
        epochs,
        incarnations,
        nows,
        targets,
        quantities,
        versions,
        keys,
        fingerprints,
        limit,
    ];
    let rows = client.query(statement, params).await?;
    let mut answers: Vec<_> = changes.iter().map(|_| Answer::default()).collect();
    for row in &rows {
        let place = usize::try_from(row.get::<_, i64>(0)).unwrap_or_default();
        let Some(answer) = place.checked_sub(1).and_then(|index| answers.get_mut(index)) else {
            return Err(Failed::Inconsistent(format!("an answer to add {place}")).into());
        };
        take_row(row, columns.targets[place - 1], answer);
    }
    Ok(answers)
}

/// Changes of any kind. On a cluster the first of the customers says where.
async fn change(
    client: &Client,
    statement: &Statement,
    columns: &Columns<'_>,
    first: Option<&i64>,
) -> Result<Vec<Answer>> {
    let Columns { kinds, users, epochs, incarnations, nows, products, targets, .. } = columns;
    let Columns { quantities, versions, keys, fingerprints, on_hand, .. } = columns;
    let mut params: Vec<&(dyn ToSql + Sync)> = vec![
        kinds,
        users,
        epochs,
        incarnations,
        nows,
        products,
        targets,
        quantities,
        versions,
        keys,
        fingerprints,
        on_hand,
        &columns.limit,
    ];
    if let Some(first) = first {
        params.push(first);
    }
    let rows = client.query(statement, &params).await?;
    if rows.len() != kinds.len() {
        let text = format!("{} answers to {} changes of carts", rows.len(), kinds.len());
        return Err(Failed::Inconsistent(text).into());
    }
    Ok(rows.iter().map(answer).collect())
}

/// The changes, an array for each parameter.
#[derive(Default)]
struct Columns<'a> {
    kinds: Vec<&'static str>,
    users: Vec<i64>,
    epochs: Vec<i64>,
    incarnations: Vec<i64>,
    nows: Vec<i64>,
    products: Vec<Option<i64>>,
    targets: Vec<Option<i64>>,
    quantities: Vec<Option<i32>>,
    versions: Vec<Option<i64>>,
    keys: Vec<Option<&'a str>>,
    fingerprints: Vec<Option<&'a [u8]>>,
    /// The pieces there are, where the function does not see them itself.
    on_hand: Vec<Option<i64>>,
    /// The most changes of a cart in an hour.
    limit: i64,
}

impl<'a> Columns<'a> {
    fn of(changes: &[&'a CartChange]) -> Self {
        let mut columns = Self::default();
        for CartChange { session, change, guard, now, limit, .. } in changes {
            columns.limit = (*limit).into();
            let (kind, product, target, quantity) = match *change {
                Change::Add { sku_id, quantity } => ("add", None, Some(sku_id.0), Some(quantity)),
                Change::Set { line, quantity } => ("set", None, Some(line.0), Some(quantity)),
                Change::Clear => ("clear", None, None, None),
                Change::Move { product, sku_id, quantity } => {
                    ("move", Some(product.0), Some(sku_id.0), Some(quantity))
                }
            };
            let key = guard.idempotency.as_ref();
            columns.kinds.push(kind);
            columns.users.push(session.user_id.0);
            columns.epochs.push(session.epoch);
            columns.incarnations.push(session.incarnation.0);
            columns.nows.push(*now);
            columns.products.push(product);
            columns.targets.push(target);
            // More than fits is more than a cart takes; the function says so.
            columns
                .quantities
                .push(quantity.map(|pieces| i32::try_from(pieces).unwrap_or(1_000_000)));
            columns.versions.push(guard.expected_version);
            columns.keys.push(key.map(|key| &*key.key));
            columns.fingerprints.push(key.map(|key| key.fingerprint.as_slice()));
        }
        columns
    }
}

/// A row of an add: a refusal, or one of the cart's lines.
fn take_row(row: &Row, sku: Option<i64>, answer: &mut Answer) {
    if answer.outcome.is_empty() {
        answer.outcome = row.get(1);
        answer.detail = row.get(2);
        answer.sku = sku;
        answer.content.catalogue_version = row.get(3);
        answer.content.version = row.get::<_, Option<i64>>(4).unwrap_or(0);
        answer.content.updated_at = row.get(5);
        answer.content.lines.reserve(8);
    }
    if let Some(id) = row.get(6) {
        answer.content.lines.push(LineContent {
            id,
            sku_id: row.get(7),
            quantity: row.get(8),
            price_when_added: row.get(9),
            on_hand: row.get(10),
        });
    }
}

/// A row of another change: a refusal, or the whole cart.
pub(crate) fn answer(row: &Row) -> Answer {
    let (outcome, detail) = (row.get(0), row.get(1));
    let Some(version) = row.get(3) else {
        let sku =
            row.get::<_, Option<Vec<Option<i64>>>>(6).and_then(|skus| skus.first().copied()?);
        return Answer { outcome, detail, sku, content: CartContent::default() };
    };
    let ids: Vec<i64> = row.get::<_, Option<_>>(5).unwrap_or_default();
    let skus: Vec<i64> = row.get::<_, Option<_>>(6).unwrap_or_default();
    let quantities: Vec<i32> = row.get::<_, Option<_>>(7).unwrap_or_default();
    let prices: Vec<i64> = row.get::<_, Option<_>>(8).unwrap_or_default();
    let on_hand: Vec<i64> = row.get::<_, Option<_>>(9).unwrap_or_default();
    let lines = ids.iter().zip(&skus).zip(&quantities).zip(&prices).zip(&on_hand);
    let content = CartContent {
        catalogue_version: row.get(2),
        version,
        updated_at: row.get(4),
        lines: lines
            .map(|((((id, sku_id), quantity), price), on_hand)| LineContent {
                id: *id,
                sku_id: *sku_id,
                quantity: *quantity,
                price_when_added: *price,
                on_hand: *on_hand,
            })
            .collect(),
    };
    Answer { outcome, detail, sku: None, content }
}
