//! The settings of a connection, and whether it is ours alone. Settings are made over the
//! connection once it is there: poolers refuse or drop those that come with the start-up message.
//! Then they are looked at, so that no statement ever runs in another schema than the market's.

use std::collections::HashSet;

use tokio_postgres::{Client, SimpleQueryMessage};

use crate::connect::ConnectError;

/// The longest any statement of a request may run, and the longest it waits for a lock. A request's
/// own time limit is longer, so that the database gives up first and says why.
const STATEMENT_MAX: &str = "8s";
const LOCK_WAIT_MAX: &str = "5s";

/// How long a transaction may wait for its next statement: a server of ours that hangs must not
/// keep locks.
const IDLE_IN_TRANSACTION_MAX: &str = "10s";

/// Of work that takes as long as it takes.
pub(crate) const PATIENT: &[Setting] = &[
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
];

/// Of connections that run the hot path: its joins are look-ups by key whatever the planner
/// believes of the sizes of arrays, and they are planned once.
pub(crate) const HOT: &[Setting] = &[
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
];

/// The same on a cluster: which server a call goes to is decided when it is planned, by whom it is
/// for.
pub(crate) const HOT_DISTRIBUTED: &[Setting] =
    &[("plan_cache_mode", "force_custom_plan"), ("jit", "off")];

/// In which order two connections are looked at. A pooler that lends its connections by transaction
/// takes the one that was given back last or first: the same one for both, or several by turns. No
/// turn fits this order, and others that use the pooler at the same moment only add to the mess.
const LOOKS: [usize; 10] = [0, 0, 1, 0, 1, 1, 0, 1, 1, 1];

/// A setting's name and its value, as PostgreSQL shows it.
pub(crate) type Setting = (&'static str, &'static str);

/// What a connection is set to.
#[derive(Clone)]
pub(crate) struct Settings(Vec<(&'static str, String)>);

impl Settings {
    /// For requests to the market in this schema.
    pub(crate) fn of(schema: &str) -> Self {
        let settings = [
            ("search_path", schema),
            ("statement_timeout", STATEMENT_MAX),
            ("lock_timeout", LOCK_WAIT_MAX),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MAX),
            ("default_transaction_isolation", "read committed"),
            ("client_min_messages", "warning"),
        ];
        Self(settings.map(|(name, value)| (name, value.to_owned())).to_vec())
    }

    /// These with others, which win.
    pub(crate) fn and(mut self, others: &[Setting]) -> Self {
        self.0.retain(|(name, _)| others.iter().all(|(other, _)| name != other));
        self.0.extend(others.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self
    }

    /// Makes the settings on a new connection, and looks whether they stay.
    pub(crate) async fn make(&self, client: &Client) -> Result<(), ConnectError> {
        let set =
            self.0.iter().map(|(name, value)| format!("set_config('{name}', '{value}', false)"));
        const SELECT: &str = "SELECT {values}";
        let select = |values: Vec<String>| SELECT.replace("{values}", &values.join(", "));
        client.simple_query(&select(set.collect())).await.map_err(ConnectError::Refused)?;
        // In a message of its own: a pooler may give it to another connection.
        let shown = self.0.iter().map(|(name, _)| format!("current_setting('{name}')"));
        let others = ["current_schema()", "pg_is_in_recovery()"].map(str::to_owned);
        let found = one_row(client, &select(shown.chain(others).collect())).await?;
        self.compare(&found)
    }

    fn compare(&self, found: &[Option<String>]) -> Result<(), ConnectError> {
        let moved = |name: &str, wanted: &str, found: Option<&String>| {
            let found = found.map_or("nothing", String::as_str);
            ConnectError::Shared(format!("{name} was set to {wanted} and is {found}"))
        };
        for ((name, wanted), found) in self.0.iter().zip(found) {
            if found.as_ref() != Some(wanted) {
                return Err(moved(name, wanted, found.as_ref()));
            }
        }
        let [schema, is_standby] = &found[self.0.len()..] else { return Ok(()) };
        let wanted = self.0.iter().find(|(name, _)| *name == "search_path");
        match (wanted, schema) {
            // It need not be there yet.
            (Some((_, wanted)), Some(found)) if wanted != found => {
                Err(moved("current_schema()", wanted, schema.as_ref()))
            }
            // It may not have heard yet of what its primary has acknowledged.
            _ if is_standby.as_deref() == Some("t") => Err(ConnectError::Standby),
            _ => Ok(()),
        }
    }
}

/// Refuses two connections of ours that are served by one of the database's.
pub(crate) async fn refuse_shared(one: &Client, other: &Client) -> Result<(), ConnectError> {
    // The number of a process alone could be that of another on a second server.
    const WHO: &str = "SELECT pg_backend_pid(), pg_postmaster_start_time()";
    let mut seen = [HashSet::new(), HashSet::new()];
    for place in LOOKS {
        seen[place].insert(one_row([one, other][place], WHO).await?);
    }
    let [ones, others] = seen;
    if ones.len() > 1 || others.len() > 1 || ones == others {
        let why = "a connection of ours is now one and now another of the database's";
        return Err(ConnectError::Shared(why.into()));
    }
    Ok(())
}

/// The one row of a query that is sent as text. A prepared statement could be on another connection
/// by the time it is run.
async fn one_row(client: &Client, sql: &str) -> Result<Vec<Option<String>>, ConnectError> {
    let said = client.simple_query(sql).await.map_err(ConnectError::Refused)?;
    let row = said.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = row.ok_or_else(|| ConnectError::Shared("a query was not answered".into()))?;
    Ok((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(settings: &Settings, schema: Option<&str>, standby: &str) -> Vec<Option<String>> {
        let shown = settings.0.iter().map(|(_, value)| Some(value.clone()));
        shown.chain([schema.map(str::to_owned), Some(standby.to_owned())]).collect()
    }

    #[test]
    fn a_setting_that_does_not_stay_is_named() {
        let settings = Settings::of("evercart_us").and(PATIENT);
        assert!(settings.compare(&found(&settings, None, "f")).is_ok(), "it is not there yet");
        assert!(settings.compare(&found(&settings, Some("evercart_us"), "f")).is_ok());
        for (name, found) in [
            ("search_path", {
                let mut found = found(&settings, Some("evercart_us"), "f");
                found[0] = Some("evercart_kg".into());
                found
            }),
            ("current_schema()", found(&settings, Some("public"), "f")),
        ] {
            let error = settings.compare(&found).expect_err("refused").to_string();
            assert!(error.contains(name), "{error}");
        }
        let standby = settings.compare(&found(&settings, None, "t")).expect_err("refused");
        assert!(standby.to_string().contains("standby"), "{standby}");
    }

    #[test]
    fn no_number_of_connections_taken_by_turns_looks_like_two_of_our_own() {
        for turn in 1..LOOKS.len() {
            let looks_stable = LOOKS.iter().zip(&LOOKS[turn..]).all(|(one, later)| one == later);
            assert!(!looks_stable, "{turn} connections");
        }
    }

    #[test]
    fn a_later_setting_wins() {
        let patient = Settings::of("evercart_us").and(PATIENT).0;
        let timeouts: Vec<_> = patient.iter().filter(|(name, _)| *name == "lock_timeout").collect();
        assert_eq!(timeouts, [&("lock_timeout", "0".to_owned())]);
    }
}
