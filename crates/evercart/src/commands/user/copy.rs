//! All that is held of one customer, into a file and out of it.

use evercart_core::copy::{CopyError, CustomerRows, OfCustomer};
use evercart_core::error::{Refused, StoreError};

use crate::cli::{ExportUser, ImportUser};
use crate::config::Settings;
use crate::failure::Failure;
use crate::rows_file::{self, RowsFile};
use crate::{output, stores};

/// Writes a customer's rows.
pub(super) async fn export(settings: &Settings, arguments: &ExportUser) -> anyhow::Result<()> {
    let (one, out) = (&arguments.one, &arguments.out);
    let market = stores::market(settings, one.market.market.as_deref())?;
    let phone = super::phone(one, market)?;
    super::refuse_without_reason(&one.audit, "the customer's data is handed out")?;
    anyhow::ensure!(!out.exists(), "{} is there already", out.display());
    let by = super::by(&one.audit);
    let rows = stores::with(&settings.storage, &market.name, async |store| {
        store.customer_out(phone.clone(), by).await.map_err(|error| match error {
            StoreError::Refused(Refused::NotFound { .. }) => {
                super::no_customer(&phone, &market.name).into()
            }
            error => stores::failed(error),
        })
    });
    let rows = rows.await?;
    let id = rows.user_id();
    rows_file::write(&mut OfCustomer::new(rows), out, &mut |_| {}).await?;
    output::print(&format!("All that is held of customer {id} is in {}.\n", out.display()))
}

/// Adds a customer.
pub(super) async fn import(settings: &Settings, arguments: &ImportUser) -> anyhow::Result<()> {
    let market = stores::market(settings, arguments.market.market.as_deref())?;
    let file = arguments.file.display();
    let mut source = RowsFile::open(&arguments.file)?;
    let rows = CustomerRows::of(&mut source).await.map_err(stores::failed)?;
    let rows =
        rows.map_err(|why| Failure::new(format!("{file} is not what user export writes: {why}")))?;
    let (id, created_at) = (rows.user_id(), rows.created_at());
    let erasures = stores::mark_of(&settings.storage, &market.name)?.erasures()?;
    if erasures.iter().any(|one| (one.user_id, one.created_at) == (id, created_at)) {
        return Err(Failure::new(format!("customer {id} was erased, and is not brought back"))
            .hint("whoever wants to come back signs in, as a new customer")
            .into());
    }
    let by = super::by(&arguments.audit);
    let added = stores::with(&settings.storage, &market.name, async |store| {
        store.customer_in(rows, by).await.map_err(|error| match error {
            CopyError::Taken { what } => {
                Failure::new(format!("{what} is there already")).hint("nothing was changed").into()
            }
            CopyError::Store(error) => stores::failed(error),
            other => anyhow::Error::new(other),
        })
    });
    added.await?;
    output::print(&format!("Customer {id} is in market {}.\n", market.name))
}
