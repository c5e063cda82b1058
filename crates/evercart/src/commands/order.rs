//! `evercart order …`: what an operator says of an order.

use evercart_core::error::{Refused, StoreError};
use evercart_core::ids::OrderId;
use evercart_core::order::OrderEnd;

use crate::cli::{End, Order};
use crate::config::Settings;
use crate::failure::Failure;
use crate::{output, stores};

/// Ends an order.
///
/// # Errors
/// No such order, it has ended, it is shipped and was to be cancelled, or the store failed.
pub async fn run(settings: &Settings, action: &Order) -> anyhow::Result<()> {
    let Order::End(one) = action;
    let market = stores::market(settings, one.market.market.as_deref())?;
    let (id, by) = (OrderId(one.number), super::user::by(&one.audit));
    let end = match one.end {
        End::Delivered => OrderEnd::Delivered,
        End::Cancelled => OrderEnd::Cancelled,
    };
    let ended = stores::with(&settings.storage, &market.name, async |store| {
        store.end_order(id, end, by).await.map_err(|error| match error {
            StoreError::Refused(Refused::NotFound { .. }) => {
                Failure::new(format!("there is no order #{id} in market {}", market.name)).into()
            }
            StoreError::Refused(Refused::OrderNotCancellable { status }) => {
                let (is, to) = (status.as_str(), end.status().as_str());
                Failure::new(format!("order #{id} is {is} and cannot become {to}")).into()
            }
            error => stores::failed(error),
        })
    });
    let customer = ended.await?;
    let status = end.status().as_str();
    output::print(&format!("Order #{id} of customer {customer} is {status}.\n"))
}
