//! Runs the README's first command as a stranger would, asks it one question, and stops it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Long enough for cargo to see that nothing is to be built, on a busy machine.
const START_MAX: Duration = Duration::from_secs(120);
const STOP_MAX: Duration = Duration::from_secs(30);
const ANNOUNCEMENT: &str = "evercart listening on http://";

/// Starts the demo shop, asks for its health and its products, and stops it with SIGTERM.
///
/// # Errors
/// If it does not start, answers anything but 200, or does not end with success.
pub fn check(root: &Path) -> Result<()> {
    let data = root.join("target/start-check");
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    }
    let mut server = Command::new("cargo")
        .args(["run", "--quiet", "--release", "--locked", "--", "serve", "--demo"])
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let outcome = visit(&mut server);
    let stopped = stop(&mut server);
    outcome.and(stopped)?;
    fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))
}

/// Starts a demo shop with its data in `data`, lets `visit` have its URL, and stops it.
///
/// # Errors
/// If it does not start or does not end with success, or as `visit` does.
pub fn demo(server: &Path, data: &Path, visit: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    let mut child = Command::new(server)
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .envs([("EVERCART_SERVER__INTERNAL_LISTEN", "off"), ("EVERCART_LOG__LEVEL", "warn")])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run the server")?;
    let outcome =
        announced_address(&mut child).and_then(|address| visit(&format!("http://{address}")));
    let stopped = stop(&mut child);
    outcome.and(stopped)
}

fn visit(server: &mut Child) -> Result<()> {
    let address = announced_address(server)?;
    for path in ["/healthz", "/products", "/shop"] {
        let status = ask(&address, path)?;
        ensure!(status == "200", "GET {path} answered {status} where 200 is right");
        println!("GET {path}: 200");
    }
    Ok(())
}

/// Waits until the server says where it listens, and goes on draining what it prints.
///
/// # Errors
/// If it ends, or says nothing of the kind in time.
pub fn announced_address(server: &mut Child) -> Result<String> {
    let stdout = server.stdout.take().context("the server's stdout is not piped")?;
    let (sender, address) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            println!("{line}");
            if let Some((_, rest)) = line.split_once(ANNOUNCEMENT) {
                // The receiver is gone only if the wait is over.
                let _ = sender.send(rest.split_whitespace().next().unwrap_or("").to_owned());
            }
        }
    });
    address
        .recv_timeout(START_MAX)
        .with_context(|| format!("the server ended or did not print `{ANNOUNCEMENT}…`"))
}

/// Asks for a path and returns the answer's status.
fn ask(address: &str, path: &str) -> Result<String> {
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(STOP_MAX))?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nX-Market: us\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"Connection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).with_context(|| format!("no answer to GET {path}"))?;
    let line = String::from_utf8_lossy(&answer);
    Ok(line.split_whitespace().nth(1).unwrap_or("nothing").to_owned())
}

/// Ends the server with SIGTERM and waits for it.
///
/// # Errors
/// If it does not end in time, or not with success.
pub fn stop(server: &mut Child) -> Result<()> {
    if server.try_wait()?.is_none() {
        let pid = server.id().to_string();
        // A `cargo run` has become the server, so this reaches it. Windows has no SIGTERM.
        if cfg!(unix) {
            Command::new("kill").args(["-TERM", &pid]).status().context("cannot run kill")?;
        } else {
            server.kill()?;
        }
    }
    let begun = Instant::now();
    while begun.elapsed() < STOP_MAX {
        if let Some(status) = server.try_wait()? {
            ensure!(status.success() || cfg!(windows), "the server ended with {status}");
            println!("stopped gracefully in {:.1} s", begun.elapsed().as_secs_f64());
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    server.kill()?;
    server.wait()?;
    anyhow::bail!("the server did not stop within {} s of SIGTERM", STOP_MAX.as_secs())
}
