//! A hot standby: a second server that follows a first one, answers reads, and can take its place.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::Instant;

use crate::account::Account;
use crate::client::{Session, apart};
use crate::server::{MAINTENANCE, PATIENCE, POLL, SUPERUSER, run};
use crate::{Binaries, Error, Server, Settings};

/// Files that say which server is running on the directory.
const NOT_COPIED: &[&str] = &["postmaster.pid", "postmaster.opts"];

/// Directories whose content belongs to the running server; PostgreSQL's own backup leaves the
/// same ones empty. The log itself comes from the first server.
const LEFT_EMPTY: &[&str] = &[
    "pg_dynshmem",
    "pg_notify",
    "pg_replslot",
    "pg_serial",
    "pg_snapshots",
    "pg_stat_tmp",
    "pg_subtrans",
    "pg_wal",
];

impl Server {
    /// Starts a hot standby of this server: a copy that follows it, on a port of its own and with
    /// the same password. Writing to it is an error (25006) until it is promoted.
    ///
    /// # Errors
    /// If this server does not run, or the copy does not start.
    pub fn standby(&self) -> Result<Server, Error> {
        let settings = Settings { port: None, ..self.settings().clone() };
        let password = self.password().to_owned();
        let mut standby = Server::prepare(Binaries::find()?, settings, password)?;
        match standby.binaries().pg_basebackup() {
            Some(program) => self.back_up(&program, &standby)?,
            None => self.copy(&standby)?,
        }
        standby.launch_on_a_free_port()?;
        Ok(standby)
    }

    /// Makes a standby a server that can be written to.
    ///
    /// # Errors
    /// If it is none, or does not do it within a minute.
    pub fn promote(&self) -> Result<(), Error> {
        let promoted = format!("SELECT pg_promote(true, {})", PATIENCE.as_secs());
        self.query(MAINTENANCE, &promoted).map(drop)
    }

    /// Waits until this standby shows everything that was committed in `primary` before the call.
    ///
    /// # Errors
    /// If it does not within a minute.
    pub fn catch_up_with(&self, primary: &Server) -> Result<(), Error> {
        let rows = primary.query(MAINTENANCE, "SELECT pg_current_wal_lsn()")?;
        let place = rows[0][0].as_deref().expect("a server that is written to has a place");
        let sql = format!("SELECT pg_last_wal_replay_lsn() >= '{place}'::pg_lsn");
        let begun = Instant::now();
        while self.query(MAINTENANCE, &sql)?[0][0].as_deref() != Some("t") {
            if begun.elapsed() > PATIENCE {
                let what = format!("did not catch up within {} s", PATIENCE.as_secs());
                return Err(Error::Server { what, log: self.log()? });
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Has a standby hear nothing more of its primary, which does not wait for it then.
    ///
    /// # Errors
    /// If it does not end its connection within a minute.
    pub fn cut_off(&self) -> Result<(), Error> {
        self.query(MAINTENANCE, "ALTER SYSTEM SET primary_conninfo = ''")?;
        self.query(MAINTENANCE, "SELECT pg_reload_conf()")?;
        let begun = Instant::now();
        while !self.query(MAINTENANCE, "SELECT 1 FROM pg_stat_wal_receiver")?.is_empty() {
            if begun.elapsed() > PATIENCE {
                let what = format!("still follows after {} s", PATIENCE.as_secs());
                return Err(Error::Server { what, log: self.log()? });
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn back_up(&self, program: &Path, standby: &Server) -> Result<(), Error> {
        let mut backup = standby.command(program);
        backup
            .args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"])
            .args(["--no-sync", "--username", SUPERUSER, "--port", &self.port().to_string()])
            .arg("--host")
            .arg(self.socket_dir())
            .arg("--pgdata")
            .arg(standby.data());
        run(backup)
    }

    /// What `pg_basebackup` does, for servers that come without it: the files are copied while they
    /// change, and the log since `pg_backup_start` mends the copy.
    pub(crate) fn copy(&self, standby: &Server) -> Result<(), Error> {
        let data = standby.data();
        let label = apart(|| {
            let session = Session::over_socket(self.socket_dir(), self.port(), MAINTENANCE)?;
            session.query("SELECT pg_backup_start('standby', true)")?;
            copy_directory(&self.data(), &data, standby.account())?;
            session.query("SELECT labelfile FROM pg_backup_stop(false)")
        })?;
        let label = label[0][0].as_deref().expect("a backup has a label");
        for (name, content) in [("backup_label", label), ("standby.signal", "")] {
            let path = data.join(name);
            fs::write(&path, content).map_err(Error::at("write", &path))?;
            standby.account().own(&path)?;
        }
        let conf = data.join("postgresql.auto.conf");
        let place = self.socket_dir().display();
        let line =
            format!("primary_conninfo = 'host={place} port={} user={SUPERUSER}'\n", self.port());
        let file = OpenOptions::new().append(true).open(&conf);
        file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(Error::at("write", &conf))
    }
}

fn copy_directory(from: &Path, to: &Path, account: &Account) -> Result<(), Error> {
    fs::create_dir(to).map_err(Error::at("create", to))?;
    let permissions = from.metadata().map_err(Error::at("look at", from))?.permissions();
    fs::set_permissions(to, permissions).map_err(Error::at("close", to))?;
    account.own(to)?;
    for entry in fs::read_dir(from).map_err(Error::at("read", from))? {
        let entry = entry.map_err(Error::at("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let is_named = |names: &[&str]| names.iter().any(|name| entry.file_name() == *name);
        if source.is_dir() {
            if is_named(LEFT_EMPTY) {
                fs::create_dir(&target).map_err(Error::at("create", &target))?;
                account.own(&target)?;
            } else {
                copy_directory(&source, &target, account)?;
            }
        } else if !is_named(NOT_COPIED) {
            match fs::copy(&source, &target) {
                Ok(_) => account.own(&target)?,
                // The server has removed it meanwhile, as the log will say.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::at("copy", &source)(error)),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_without_pg_basebackup_follows_as_well() {
        let primary = Server::start(Settings::for_tests()).unwrap();
        primary.query(MAINTENANCE, "CREATE TABLE a AS SELECT 1 AS b").unwrap();
        let settings = primary.settings().clone();
        let mut standby =
            Server::prepare(Binaries::find().unwrap(), settings, String::new()).unwrap();
        primary.copy(&standby).unwrap();
        standby.launch_on_a_free_port().unwrap();
        primary.query(MAINTENANCE, "UPDATE a SET b = 2").unwrap();
        standby.catch_up_with(&primary).unwrap();
        let rows = standby.query(MAINTENANCE, "SELECT b, pg_is_in_recovery() FROM a").unwrap();
        assert_eq!(rows, [[Some("2".to_owned()), Some("t".to_owned())]]);
    }
}
