//! A copy of the tree, in which bugs are planted. It has a build directory of its own and keeps
//! both from run to run, so that only what a bug changes is compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::planted::Planted;
use crate::cargo;

/// The programs a bug can be seen in.
pub struct Programs {
    /// As it is shipped.
    pub shipped: PathBuf,
    /// The same on the lossy disk.
    pub on_lossy_disk: PathBuf,
}

/// The copy.
pub struct Tree {
    root: PathBuf,
    copy: PathBuf,
}

impl Tree {
    /// Brings the copy up to date with the tree as it lies there, committed or not.
    ///
    /// # Errors
    /// If git cannot list the files, or one cannot be copied.
    pub fn copy(root: &Path) -> Result<Self> {
        let tree = Self { root: root.to_owned(), copy: root.join("target/bugs/tree") };
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
            .current_dir(root)
            .output()
            .context("cannot run git, which lists the files to copy")?;
        ensure!(listing.status.success(), "git cannot list the files: is this a clone?");
        let listing = String::from_utf8(listing.stdout).context("a file's name is not UTF-8")?;
        let files: Vec<_> = listing.split_terminator('\0').collect();
        for path in &files {
            tree.copy_file(path)?;
        }
        tree.remove_others(&files)?;
        Ok(tree)
    }

    /// Copies what differs, so that cargo sees no change where there is none.
    fn copy_file(&self, path: &str) -> Result<()> {
        let (from, to) = (self.root.join(path), self.copy.join(path));
        // Deleted, but still in the index.
        let Ok(content) = fs::read(&from) else { return Ok(()) };
        if fs::read(&to).is_ok_and(|there| there == content) {
            return Ok(());
        }
        let directory = to.parent().unwrap_or(&self.copy);
        fs::create_dir_all(directory)?;
        fs::write(&to, content).with_context(|| format!("cannot write {}", to.display()))
    }

    /// Removes what has gone from the tree: cargo compiles some files for being there.
    fn remove_others(&self, files: &[&str]) -> Result<()> {
        let mut directories = vec![self.copy.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory)? {
                let (entry, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
                let name = path.strip_prefix(&self.copy).unwrap_or(&path).to_string_lossy();
                if entry?.is_dir() {
                    directories.push(path);
                } else if !files.contains(&&*name) || !self.root.join(&*name).exists() {
                    fs::remove_file(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Plants a bug.
    ///
    /// # Errors
    /// If its patch does not apply.
    pub fn plant(&self, bug: &Planted) -> Result<()> {
        let status = Command::new("git")
            .arg("apply")
            .arg(&bug.path)
            .current_dir(&self.copy)
            // The copy lies in the tree's own repository, which is not meant.
            .env("GIT_CEILING_DIRECTORIES", self.copy.parent().unwrap_or(&self.copy))
            .status()
            .context("cannot run git")?;
        ensure!(status.success(), "{} does not apply: plant it anew", bug.path.display());
        for file in &bug.files {
            let (one, other) = (fs::read(self.root.join(file))?, fs::read(self.copy.join(file))?);
            ensure!(one != other, "{} did not change {file}", bug.path.display());
        }
        Ok(())
    }

    /// Takes a bug out again.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub fn restore(&self, bug: &Planted) -> Result<()> {
        bug.files.iter().try_for_each(|file| self.copy_file(file))
    }

    /// Builds the copy.
    ///
    /// # Errors
    /// If it does not build.
    pub fn build(&self) -> Result<Programs> {
        let target = self.root.join("target/bugs/build");
        let target = target.to_str().context("the path of the tree is not UTF-8")?;
        let packages = ["-p", "evercart", "-p", "evercart-lossy-sqlite", "--bins"];
        let arguments = [&packages[..], &["--locked", "--target-dir", target]].concat();
        let built = cargo::build(&self.copy, &arguments)?;
        Ok(Programs {
            shipped: cargo::program(&built, "evercart")?,
            on_lossy_disk: cargo::program(&built, "evercart-on-lossy-disk")?,
        })
    }
}
