//! The bugs, as patches with a header each: what it breaks, which promise, and where it is seen.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::torture::Setting;

/// Where the patches are, below the root.
pub const DIRECTORY: &str = "tools/evercart-torture/bugs";

/// A bug that can be planted.
#[derive(Debug, PartialEq)]
pub struct Planted {
    /// The patch's name without its ending.
    pub name: String,
    /// The patch.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
    /// The promises it breaks.
    pub promise: String,
    stores: Vec<String>,
    is_on_lossy_disk: bool,
    nemeses: Option<String>,
    scene: Option<String>,
    /// The files it changes.
    pub files: Vec<String>,
}

impl Planted {
    /// The stores it can be seen on.
    pub fn stores(&self) -> String {
        self.stores.join(", ")
    }

    /// What a torture needs to be able to see it.
    pub fn settings(&self) -> Vec<Setting> {
        let setting = |store: &String| Setting {
            store: store.clone(),
            is_on_lossy_disk: self.is_on_lossy_disk,
            nemeses: self.nemeses.clone(),
            scene: self.scene.clone(),
        };
        self.stores.iter().map(setting).collect()
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let (header, _) = text.split_once("diff --git ").context("there is no `diff --git`")?;
        let field = |name: &str| {
            let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned());
            header.lines().find_map(value)
        };
        let needed =
            |name: &str| field(name).with_context(|| format!("the header has no `{name}: …`"));
        let stores: Vec<_> = needed("Store")?.split(", ").map(str::to_owned).collect();
        ensure!(
            stores.iter().all(|store| store == "sqlite" || store == "postgres"),
            "`Store:` is sqlite, postgres or `sqlite, postgres`"
        );
        let disk = field("Disk");
        ensure!(disk.as_deref().is_none_or(|disk| disk == "lossy"), "`Disk:` can only be lossy");
        let changed = |line: &str| Some(line.strip_prefix("+++ b/")?.to_owned());
        Ok(Self {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            path: path.to_owned(),
            what: needed("Bug")?,
            promise: needed("Promise")?,
            stores,
            is_on_lossy_disk: disk.is_some(),
            nemeses: field("Nemeses"),
            scene: field("Scene"),
            files: text.lines().filter_map(changed).collect(),
        })
    }
}

/// All bugs, by name.
///
/// # Errors
/// If a patch cannot be read or its header is not one.
pub fn read(root: &Path) -> Result<Vec<Planted>> {
    let directory = root.join(DIRECTORY);
    let entries =
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut bugs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "patch") {
            let bug = fs::read_to_string(&path).map_err(anyhow::Error::from);
            let bug = bug.and_then(|text| Planted::parse(&path, &text));
            bugs.push(bug.with_context(|| format!("{} cannot be used", path.display()))?);
        }
    }
    bugs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(bugs)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_patch_says_what_it_breaks_and_where() {
        let text = "Bug: it forgets\nPromise: G1\nStore: sqlite, postgres\nNemeses: kill\n\n\
             diff --git a/x.rs b/x.rs\n--- a/x.rs\n+++ b/x.rs\n@@ -1 +1 @@\n-a\n+b\n";
        let bug = Planted::parse(Path::new("bugs/forgetful.patch"), text).expect("parses");
        assert_eq!((&*bug.name, &*bug.what, &*bug.promise), ("forgetful", "it forgets", "G1"));
        assert_eq!(bug.files, ["x.rs"]);
        let settings = bug.settings();
        let settings: Vec<_> = settings.iter().map(Setting::to_string).collect();
        assert_eq!(settings, ["sqlite", "postgres"]);
        for broken in ["Promise: G1", "sqlite, ", "Bug: ", "diff --git "] {
            let other = text.replacen(broken, "x", 1);
            assert!(Planted::parse(Path::new("x.patch"), &other).is_err(), "without {broken}");
        }
    }

    #[test]
    fn every_bug_can_still_be_planted() {
        let root = crate::root();
        let bugs = read(root).expect("the patches can be read");
        assert!(bugs.len() >= 9, "only {} bugs are left to plant", bugs.len());
        for bug in bugs {
            let checked = Command::new("git")
                .args(["apply", "--check"])
                .arg(&bug.path)
                .current_dir(root)
                .output()
                .expect("git runs");
            assert!(
                checked.status.success(),
                "{DIRECTORY}/{name}.patch no longer applies, since the code it breaks was changed. \
                 Plant the bug in the code as it is now ({what}), write it down with `git diff` \
                 under the same header, and see it found by `cargo xtask bugs --only {name}`.\n{}",
                String::from_utf8_lossy(&checked.stderr),
                name = bug.name,
                what = bug.what,
            );
        }
    }
}
