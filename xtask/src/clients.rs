//! Makes clients of the API with generators that others use, and orders something with each, so
//! that openapi.json stays one they can read. What is asked is in tools/clients/.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{cargo, npm, python, start};

const DOCUMENT: &str = "crates/evercart-http/openapi.json";
const TOOLS: &str = "tools/clients";
/// Has redocly's linter and hey-api's generator.
const NPM: &str = "tools/clients/npm";

/// Lints the document, makes the clients, and lets each sign in, fill a cart and order it, at a
/// demo of its own.
///
/// # Errors
/// If Python, Java or Node.js is missing, a generator cannot be had, or a client does not work.
pub fn run(root: &Path) -> Result<()> {
    ensure!(
        Command::new("java").arg("-version").output().is_ok_and(|said| said.status.success()),
        "openapi-generator needs Java 11 or newer, and there is none: install one, such as with \
         `apt-get install default-jre-headless`"
    );
    npm::run(root, NPM, &[npm::INSTALL, &["run", "lint"]], None)?;
    let tools = root.join(TOOLS);
    let programs = python::environment(root, "clients", &tools.join("requirements.txt"))?;
    let server = cargo::program(&cargo::build(root, cargo::PROGRAM)?, "evercart")?;
    let work = root.join("target/clients");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("cannot empty {}", work.display()))?;
    }
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let document = root.join(DOCUMENT);

    let folder = work.join("openapi-python-client");
    let mut generator = Command::new(programs.join("openapi-python-client"));
    generator.arg("generate").arg("--path").arg(&document);
    generator.args(["--meta", "none", "--fail-on-warning", "--output-path"]);
    generator.arg(folder.join("shop_client"));
    generator.arg("--config").arg(tools.join("openapi-python-client.yaml"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    generated(&mut generator, "openapi-python-client")?;

    let mut generator = Command::new(programs.join("openapi-generator-cli"));
    generator.arg("generate").arg("-i").arg(&document).args(["-g", "python", "-o"]);
    generator.arg(work.join("openapi-generator"));
    generator.args(["--additional-properties", "packageName=shop_client,mapNumberTo=Decimal"]);
    generated(&mut generator, "openapi-generator")?;

    for script in ["generate", "check", "build"] {
        npm::run(root, NPM, &[&["run", script]], None)?;
    }

    start::demo(&server, &work.join("data"), |shop| {
        for name in ["openapi-python-client", "openapi-generator"] {
            let script = tools.join(format!("{}.py", name.replace('-', "_")));
            let mut walk = Command::new(programs.join("python"));
            walk.arg("-B").arg(script).arg(work.join(name)).arg(shop);
            ordered(&mut walk, name)?;
        }
        let mut walk = Command::new("node");
        walk.arg("generated/walk.js").env("SHOP_URL", shop).current_dir(root.join(NPM));
        ordered(&mut walk, "hey-api")
    })
}

fn generated(generator: &mut Command, what: &str) -> Result<()> {
    quietly(generator, what)?;
    println!("{what} has made a client");
    Ok(())
}

fn ordered(walk: &mut Command, what: &str) -> Result<()> {
    print!("{}", quietly(walk, what)?);
    Ok(())
}

/// Returns what it says, of which generators have much.
fn quietly(command: &mut Command, what: &str) -> Result<String> {
    let output = command
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {what}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{what} ended with {}. It said:\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(said.into_owned())
}
