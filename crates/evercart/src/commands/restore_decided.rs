//! The part of `evercart restore` that is about what was there: what was decided since the backup
//! about who gets in is kept.

use std::path::Path;
use std::sync::Arc;

use evercart_core::copy::{Copies, Decided, Decision, Erasure, Reader, What, WithDecided};
use evercart_core::error::Result as StoreResult;
use evercart_core::market::MarketName;
use evercart_postgres::Postgres;

use crate::clock;

/// What was decided since a backup, as far as anything tells.
pub struct Since {
    decided: Arc<Decided>,
    /// Why what was there does not tell: then only the list of erasures does.
    unknown: Option<String>,
}

/// The rows in a SQLite file that is about to be replaced, if there is one.
pub fn rows_in(path: &Path) -> StoreResult<Option<Box<dyn Reader>>> {
    if !path.exists() {
        return Ok(None);
    }
    evercart_sqlite::rows_in(path, clock::system()).map(Some)
}

/// The rows in a schema that is about to be replaced, if there was one.
pub async fn rows_of(store: &Postgres, was_there: bool) -> StoreResult<Option<Box<dyn Reader>>> {
    if !was_there {
        return Ok(None);
    }
    store.copy_out().await.map(Some)
}

impl Since {
    /// Compares a backup with the list of erasures, and with what is about to be replaced by it.
    ///
    /// # Errors
    /// The backup cannot be read.
    pub async fn look(
        backup: &mut dyn Reader,
        there: StoreResult<Option<Box<dyn Reader>>>,
        erasures: &[Erasure],
    ) -> StoreResult<Self> {
        let unknown = match there {
            Ok(None) => "nothing was there".to_owned(),
            Ok(Some(mut there)) => {
                match Decided::since(backup, Some(&mut *there), erasures).await {
                    Ok(decided) => return Ok(Self { decided: Arc::new(decided), unknown: None }),
                    Err(error) => format!("what was there cannot be read ({error})"),
                }
            }
            Err(error) => format!("what was there cannot be read ({error})"),
        };
        let decided = Arc::new(Decided::since(backup, None, erasures).await?);
        Ok(Self { decided, unknown: Some(unknown) })
    }

    /// True if the backup is put in place as it is.
    pub fn changes_nothing(&self) -> bool {
        self.decided.changes_nothing()
    }

    /// The backup's rows with the decisions in them.
    pub fn in_rows(&self, backup: Box<dyn Reader>) -> Box<dyn Reader> {
        Box::new(WithDecided::new(backup, Arc::clone(&self.decided)))
    }

    /// What became of them, for people.
    pub fn told(&self, market: &MarketName) -> String {
        let mut text = String::new();
        if let Some(why) = &self.unknown {
            text.push_str(&format!(
                "{market}: {why}. Blocks and moves to other phones since the backup are gone: make \
                 them again.\n"
            ));
        }
        let decisions = &self.decided.decisions;
        let (kept, open): (Vec<_>, Vec<_>) =
            decisions.iter().partition(|decision| decision.is_applied);
        if !kept.is_empty() {
            text.push_str(&format!("{market}: kept of what was decided since the backup:\n"));
            for decision in kept {
                let Decision { user_id, phone, .. } = decision;
                text.push_str(&line(decision, &format!("{user_id} ({})", phone.masked())));
            }
        }
        if !open.is_empty() {
            text.push_str(&format!(
                "{market}: what was there had been put back before, so these may be out of date. \
                 Look at each, and decide again:\n"
            ));
            for decision in open {
                let Decision { user_id, phone, .. } = decision;
                text.push_str(&line(decision, &format!("{user_id} ({})", phone.as_str())));
            }
        }
        text
    }
}

fn line(decision: &Decision, customer: &str) -> String {
    let what = match &decision.what {
        What::Blocked => "was blocked".to_owned(),
        What::Unblocked => "was unblocked".to_owned(),
        What::Moved { to } if decision.is_applied => format!("moved to {}", to.masked()),
        What::Moved { to } => format!("moved to {}", to.as_str()),
        What::ChangeOfPhone => "a change of phone was stopped or settled".to_owned(),
        What::Erased => "was erased".to_owned(),
    };
    format!("  customer {customer}: {what}\n")
}
