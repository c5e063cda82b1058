//! A process with a database on the lossy disk, which is told SQL and can be killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rusqlite::Connection;

pub struct Process {
    child: Child,
    statements: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    pub fn start(database: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sql-on-lossy-disk"))
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let statements = child.stdin.take().expect("is piped");
        let answers = BufReader::new(child.stdout.take().expect("is piped"));
        Self { child, statements, answers }
    }

    /// Has a statement run and waits for its answer.
    pub fn run(&mut self, sql: &str) -> String {
        self.send(sql);
        let answer = self.answer().expect("still runs");
        let rows = answer.strip_prefix("ok");
        rows.unwrap_or_else(|| panic!("{sql}: {answer}")).trim().to_owned()
    }

    /// Has a statement run some time.
    pub fn send(&mut self, sql: &str) {
        writeln!(self.statements, "{sql}").expect("still runs");
    }

    /// The next answer; none after the end.
    pub fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).expect("reads");
        (read > 0 && line.ends_with('\n')).then(|| line.trim_end().to_owned())
    }

    /// Kills it with SIGKILL, and returns how many statements it had answered since the last `run`.
    pub fn kill(mut self) -> usize {
        self.child.kill().expect("can be killed");
        self.child.wait().expect("ends");
        std::iter::from_fn(|| self.answer()).inspect(|answer| assert_eq!(answer, "ok")).count()
    }
}

/// What is left on the real disk, as whoever looks at it later finds it. Looks at a copy, so that
/// looking changes nothing.
pub fn left(database: &Path, sql: &str) -> rusqlite::Result<i64> {
    let copy = tempfile::tempdir().expect("a temporary directory");
    let name = |ending: &str| format!("{}{ending}", database.display());
    for ending in ["", "-wal", "-journal"] {
        if Path::new(&name(ending)).exists() {
            let to = copy.path().join(format!("copy{ending}"));
            std::fs::copy(name(ending), to).expect("copies");
        }
    }
    Connection::open(copy.path().join("copy"))?.query_row(sql, [], |row| row.get(0))
}
