//! The part of `evercart restore` that is about what was there: what was decided since the backup
//! about who gets in is kept.

use std::path::Path;
use std::sync::Arc;

use evercart_core::copy::{Copies, Decided, Decision, Reader, What, WithDecided};
use evercart_core::error::Result as StoreResult;
use evercart_core::market::MarketName;
use evercart_postgres::Postgres;

use crate::clock;

/// The decisions since a backup.
pub enum Since {
    /// Nothing was there, or it cannot be read. Says which.
    Unknown(String),
    /// These.
    Known(Arc<Decided>),
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
    /// Compares a backup with what is about to be replaced by it.
    pub async fn look(
        backup: &mut dyn Reader,
        there: StoreResult<Option<Box<dyn Reader>>>,
    ) -> Self {
        let compared = match there {
            Ok(None) => return Self::Unknown("nothing was there".into()),
            Ok(Some(mut there)) => Decided::between(backup, &mut *there).await,
            Err(error) => Err(error),
        };
        match compared {
            Ok(decided) => Self::Known(Arc::new(decided)),
            Err(error) => Self::Unknown(format!("what was there cannot be read ({error})")),
        }
    }

    /// True if the backup is put in place as it is.
    pub fn changes_nothing(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::Known(decided) => decided.changes_nothing(),
        }
    }

    /// The backup's rows with the decisions in them.
    pub fn in_rows(&self, backup: Box<dyn Reader>) -> Box<dyn Reader> {
        match self {
            Self::Unknown(_) => backup,
            Self::Known(decided) => Box::new(WithDecided::new(backup, Arc::clone(decided))),
        }
    }

    /// What became of them, for people.
    pub fn told(&self, market: &MarketName) -> String {
        let decisions = match self {
            Self::Unknown(why) => {
                return format!(
                    "{market}: {why}. Blocks, moves to other phones and erasures since the backup \
                     are gone: make them again.\n"
                );
            }
            Self::Known(decided) => &decided.decisions,
        };
        let (kept, open): (Vec<_>, Vec<_>) =
            decisions.iter().partition(|decision| decision.is_applied);
        let mut text = String::new();
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
