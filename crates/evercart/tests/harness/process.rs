//! The server's process: started, watched, killed.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use super::PATIENCE;

const LISTENING: &str = "evercart listening on ";
const INTERNAL: &str = "evercart metrics on ";

/// A running server.
pub struct Running {
    child: Child,
    /// `http://127.0.0.1:PORT` (or https).
    pub base_url: String,
    /// The internal listener's, if there is one.
    pub internal_url: Option<String>,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Output {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

impl Output {
    /// Of several processes: all that was said, and the first exit code that is not 0.
    pub fn of_all(outputs: impl Iterator<Item = Output>) -> Self {
        let mut all = Output { code: Some(0), stdout: String::new(), stderr: String::new() };
        for output in outputs {
            if all.code == Some(0) {
                all.code = output.code;
            }
            all.stdout.push_str(&output.stdout);
            all.stderr.push_str(&output.stderr);
        }
        all
    }
}

/// The server ended, or did not answer in time.
#[derive(Debug)]
pub struct StartFailed(pub Output);

impl std::fmt::Display for StartFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\n{}{}", self.0.code, self.0.stdout, self.0.stderr)
    }
}

impl Running {
    /// Starts the program and waits for its "listening" line.
    pub fn start(mut command: Command) -> Result<Self, StartFailed> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (tell, told) = mpsc::channel();
        let stdout = Arc::new(Mutex::new(String::new()));
        let stderr = Arc::new(Mutex::new(String::new()));
        let readers = vec![
            collect(child.stdout.take().expect("piped"), Arc::clone(&stdout), Some(tell)),
            collect(child.stderr.take().expect("piped"), Arc::clone(&stderr), None),
        ];
        let mut running =
            Self { child, base_url: String::new(), internal_url: None, stdout, stderr, readers };
        let started = Instant::now();
        while running.base_url.is_empty() {
            // The sender is dropped at the end of standard output: the process is gone.
            let left = PATIENCE.saturating_sub(started.elapsed());
            match told.recv_timeout(left) {
                Ok(line) => running.note(&line),
                Err(_) => return Err(StartFailed(running.end())),
            }
        }
        Ok(running)
    }

    fn note(&mut self, line: &str) {
        if let Some(url) = line.strip_prefix(LISTENING) {
            self.base_url = url.trim().to_owned();
        } else if let Some(url) = line.strip_prefix(INTERNAL) {
            self.internal_url = Some(url.trim().to_owned());
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().expect("no reader panics").clone()
    }

    /// Sends a signal by name: `TERM`, `HUP`, `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .expect("kill is there");
        assert!(sent.success(), "kill -{name} failed");
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> Output {
        let started = Instant::now();
        while self.child.try_wait().expect("our own child").is_none() {
            if started.elapsed() > PATIENCE {
                let output = self.end();
                panic!("the server did not end within {PATIENCE:?}: {}", output.stderr);
            }
            std::thread::sleep(std::time::Duration::from_millis(5)); // poll: bounded above
        }
        self.end()
    }

    /// Kills it with SIGKILL.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) -> Output {
        // Killing what has ended already is an error that says nothing new.
        let _ = self.child.kill();
        let status: ExitStatus = self.child.wait().expect("our own child");
        for reader in self.readers.drain(..) {
            reader.join().expect("no reader panics");
        }
        let stdout = self.stdout.lock().expect("no reader panics").clone();
        Output { code: status.code(), stdout, stderr: self.stderr() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already: that is what a failing test wants to know.
        let ended = self.child.try_wait().ok().flatten();
        let output = self.end();
        if std::thread::panicking() {
            let how = ended.map_or("still ran".to_owned(), |status| format!("had ended: {status}"));
            eprintln!("the server {how}; it said:\n{}", output.stderr);
        }
    }
}

/// Runs a command to its end in `directory`.
pub fn run_in(directory: &Path, arguments: &[&str], variables: &[(String, String)]) -> Output {
    let output = command(directory, variables)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
    }
}

/// The program with an environment in which nothing of the developer's own shop is left.
pub fn command(directory: &Path, variables: &[(String, String)]) -> Command {
    command_by(&[], directory, variables)
}

/// Like `command`, started by another program, if one is named.
pub fn command_by(wrapper: &[String], directory: &Path, variables: &[(String, String)]) -> Command {
    const PROGRAM: &str = env!("CARGO_BIN_EXE_evercart");
    let mut command = match wrapper {
        [] => Command::new(PROGRAM),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(PROGRAM);
            command
        }
    };
    #[expect(clippy::disallowed_methods, reason = "to keep the program from seeing them")]
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("EVERCART_") {
            command.env_remove(name);
        }
    }
    command.current_dir(directory).env("COLUMNS", "100");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command
}

fn collect(
    from: impl Read + Send + 'static,
    into: Arc<Mutex<String>>,
    tell: Option<mpsc::Sender<String>>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { break };
            let mut all = into.lock().expect("the other side does not panic");
            all.push_str(&line);
            all.push('\n');
            drop(all);
            if let Some(tell) = &tell {
                // Nobody listens any more once the server answers.
                let _ = tell.send(line);
            }
        }
    })
}
