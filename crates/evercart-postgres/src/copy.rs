//! Copies of the whole store, out and in, as rows that every adapter understands. They take as
//! long as they take, on connections of their own.

use std::pin::Pin;

use async_trait::async_trait;
use evercart_core::check::SCHEMA;
use evercart_core::copy::{
    self, Copies, CopyError, CustomerRows, Progress, Reader, Row, Table, Writer,
};
use evercart_core::error::{Failed, Result as StoreResult, StoreError};
use evercart_core::operator::{By, CheckReport};
use evercart_core::phone::Phone;
use futures_util::StreamExt;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::{Client, GenericClient, RowStream, Transaction};

use crate::backups::FORGET_CLAIM;
use crate::connect::{ConnectError, explain};
use crate::copy_rows::{self, Bound};
use crate::db::{failed, is_loss};
use crate::life::store_error;
use crate::{Postgres, check, customer_copy, distribute, migrate};

#[async_trait]
impl Copies for Postgres {
    async fn copy_out(&self) -> StoreResult<Box<dyn Reader>> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let client = self.target.connect_patiently().await.map_err(away)?;
        client.batch_execute(BEGIN).await.map_err(sql_failed)?;
        // The first read sets the moment.
        let counters = copy_rows::counters(&client).await.map_err(sql_failed)?;
        Ok(Box::new(Moment { client, counters, open: Open::Nothing }))
    }

    async fn copy_in(
        &self,
        source: &mut dyn Reader,
        progress: Progress<'_>,
    ) -> Result<CheckReport, CopyError> {
        self.take_in(None, source, progress).await
    }

    async fn customer_out(&self, phone: Phone, by: By) -> StoreResult<CustomerRows> {
        customer_copy::out(self, &phone, &by).await
    }

    async fn customer_in(&self, rows: CustomerRows, by: By) -> Result<(), CopyError> {
        customer_copy::put(self, &rows, &by).await
    }
}

impl Postgres {
    /// As [`Copies::copy_in`], but data that is there is not refused: in the same transaction its
    /// schema is given another name, which has this ending, and a new one takes its place.
    ///
    /// # Errors
    /// See [`CopyError`]. Nothing was changed then.
    pub async fn copy_in_instead(
        &self,
        ending: &str,
        source: &mut dyn Reader,
        progress: Progress<'_>,
    ) -> Result<CheckReport, CopyError> {
        self.take_in(Some(ending), source, progress).await
    }

    /// What [`Postgres::copy_in_instead`] calls the schema that was there.
    pub fn schema_aside(&self, ending: &str) -> String {
        format!("{}_{ending}", self.target.schema)
    }

    async fn take_in(
        &self,
        ending: Option<&str>,
        source: &mut dyn Reader,
        progress: Progress<'_>,
    ) -> Result<CheckReport, CopyError> {
        let mut client = self.target.connect_patiently().await.map_err(away)?;
        // Dropped on any way out but the last: PostgreSQL then takes everything back.
        let transaction = client.transaction().await.map_err(sql_failed)?;
        if self.target.distributed {
            distribute::prepare_to_fill(&transaction).await.map_err(sql_failed)?;
        }
        if let Some(ending) = ending {
            let aside = self.schema_aside(ending);
            if self.target.distributed {
                let failed = distribute::not_in_place(&self.target, &aside);
                return Err(StoreError::from(failed).into());
            }
            migrate::begin_anew(&transaction, &self.target, &aside).await.map_err(sql_failed)?;
        }
        // Nobody else writes meanwhile, such as a server that was started on the empty schema.
        transaction.batch_execute(&copy_rows::lock_all()).await.map_err(sql_failed)?;
        transaction.batch_execute(FORGET_CLAIM).await.map_err(sql_failed)?;
        let mut rows = Filling { transaction: &transaction, open: Open::Nothing, into: None };
        copy::refuse_unless_empty(&mut rows).await?;
        copy_rows::remove_seeds(&transaction).await.map_err(sql_failed)?;
        copy::fill(&mut rows, source, progress).await?;
        let looked = check::look(&transaction, self.target.distributed).await;
        let mut report = looked.map_err(sql_failed)?;
        // The schema is not the copy's: what is wrong with it is `check`'s to say.
        report.findings.retain(|finding| finding.promise != SCHEMA);
        if !report.findings.is_empty() {
            return Err(CopyError::Unsound(report));
        }
        match transaction.commit().await {
            Ok(()) => {
                // It is in the life that was copied now. Where that cannot be read, the next
                // connection takes it for a return, and begins another.
                if let Err(refusal) = self.keeper.remember(&client).await {
                    tracing::debug!("the copy was not looked at: {refusal}");
                }
                Ok(report)
            }
            Err(error) if error.as_db_error().is_some() && !is_loss(&error) => {
                Err(sql_failed(error).into())
            }
            Err(error) => Err(CopyError::Unknown(explain(&error))),
        }
    }
}

fn away(error: ConnectError) -> StoreError {
    Failed::Unavailable(error.to_string()).into()
}

fn sql_failed(error: tokio_postgres::Error) -> StoreError {
    failed(&error).into()
}

/// The table that is being read.
enum Open {
    Nothing,
    Stream(&'static Table, Pin<Box<RowStream>>),
    Rows(std::vec::IntoIter<Row>),
}

impl Open {
    async fn table(
        client: &(impl GenericClient + Sync),
        table: &'static Table,
    ) -> StoreResult<Self> {
        let no_parameters: [&str; 0] = [];
        let stream = client.query_raw(&copy_rows::select(table), no_parameters).await;
        Ok(Open::Stream(table, Box::pin(stream.map_err(sql_failed)?)))
    }

    async fn next(&mut self, limit: usize) -> StoreResult<Vec<Row>> {
        let mut rows = Vec::new();
        match self {
            Open::Nothing => {}
            Open::Rows(left) => rows.extend(left.take(limit)),
            Open::Stream(table, stream) => {
                while rows.len() < limit {
                    let Some(row) = stream.next().await else {
                        // Asked once more, an ended stream takes the connection for closed.
                        *self = Open::Nothing;
                        break;
                    };
                    rows.push(copy_rows::read(table, &row.map_err(sql_failed)?)?);
                }
            }
        }
        Ok(rows)
    }
}

/// The store as it was when the client's transaction began.
struct Moment {
    client: Client,
    /// Sequences know no moments: their numbers are those of the beginning, however often they are
    /// read.
    counters: Vec<Row>,
    open: Open,
}

#[async_trait]
impl Reader for Moment {
    async fn count(&mut self) -> StoreResult<u64> {
        copy_rows::count(&self.client).await
    }

    async fn open(&mut self, table: &'static Table) -> StoreResult<()> {
        self.open = match table.name {
            copy_rows::COUNTERS => Open::Rows(self.counters.clone().into_iter()),
            _ => Open::table(&self.client, table).await?,
        };
        Ok(())
    }

    async fn next(&mut self, limit: usize) -> StoreResult<Vec<Row>> {
        self.open.next(limit).await
    }
}

/// A store that is being filled in a transaction.
struct Filling<'a> {
    transaction: &'a Transaction<'a>,
    open: Open,
    /// The rows on their way into a table.
    into: Option<Pin<Box<BinaryCopyInWriter>>>,
}

#[async_trait]
impl Reader for Filling<'_> {
    async fn count(&mut self) -> StoreResult<u64> {
        copy_rows::count(self.transaction).await
    }

    async fn open(&mut self, table: &'static Table) -> StoreResult<()> {
        self.open = match table.name {
            copy_rows::COUNTERS => {
                let rows = copy_rows::counters(self.transaction).await;
                Open::Rows(rows.map_err(sql_failed)?.into_iter())
            }
            _ => Open::table(self.transaction, table).await?,
        };
        Ok(())
    }

    async fn next(&mut self, limit: usize) -> StoreResult<Vec<Row>> {
        self.open.next(limit).await
    }
}

#[async_trait]
impl Writer for Filling<'_> {
    async fn write(&mut self, table: &'static Table, rows: Vec<Row>) -> StoreResult<()> {
        for row in &rows {
            copy_rows::refuse_nul(table, row)?;
        }
        match table.name {
            copy_rows::COUNTERS => copy_rows::set_counters(self.transaction, &rows).await,
            "products" => copy_rows::insert_products(self.transaction, &rows).await,
            _ => self.send(table, &rows).await,
        }
        .map_err(sql_failed)
    }

    async fn finish(&mut self, table: &'static Table) -> StoreResult<()> {
        if let Some(mut into) = self.into.take() {
            into.as_mut().finish().await.map_err(sql_failed)?;
        }
        // What reads it next plans with its real size.
        let analyze = copy_rows::analyze(table);
        self.transaction.batch_execute(&analyze).await.map_err(sql_failed)
    }
}

impl Filling<'_> {
    async fn send(
        &mut self,
        table: &'static Table,
        rows: &[Row],
    ) -> Result<(), tokio_postgres::Error> {
        let mut into = match self.into.take() {
            Some(into) => into,
            None => {
                let types = copy_rows::types(self.transaction, table).await?;
                let sink = self.transaction.copy_in(&copy_rows::copy_in(table)).await?;
                Box::pin(BinaryCopyInWriter::new(sink, &types))
            }
        };
        for row in rows {
            let values: Vec<Bound<'_>> = row.iter().map(Bound).collect();
            into.as_mut().write_raw(values).await?;
        }
        self.into = Some(into);
        Ok(())
    }
}

impl Postgres {
    /// Goes on counting where the store stopped that was copied here with its life. Until then this
    /// one is behind what is remembered of that one.
    ///
    /// # Errors
    /// A failure.
    pub async fn go_on_from(&self, position: i64) -> StoreResult<()> {
        const GO_ON: &str = "UPDATE progress SET position = greatest(position, $1)";
        let connection = self.lend().await?;
        connection.execute(GO_ON, &[&position]).await.map_err(store_error)?;
        Ok(())
    }
}
