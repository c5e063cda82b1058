//! `evercart catalog import` and `export`.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::Context;
use evercart_core::catalogue::{ImportOutcome, ImportSummary};
use serde::Serialize;

use crate::catalogue_file::{self, CatalogueFile, Kind, OpenSource, Problem};
use crate::cli::{CatalogExport, CatalogImport, RowFormat};
use crate::config::Settings;
use crate::failure::Failure;
use crate::stores::Opened;
use crate::{output, stores};

/// The largest file taken, in bytes: it goes in as a whole.
const FILE_MAX: u64 = 1 << 30;

#[derive(Serialize)]
struct Imported<'a> {
    market: &'a str,
    rows: usize,
    products_added: u64,
    skus_added: u64,
    skus_updated: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// Reads a file into a market's catalogue.
///
/// # Errors
/// The file cannot be read, is wrong, or contradicts the store; then nothing was changed.
pub async fn import(settings: &Settings, arguments: &CatalogImport) -> anyhow::Result<()> {
    let market = stores::market(settings, arguments.market.market.as_deref())?;
    let (file, bytes) = file_of(&arguments.file)?;
    let bar = output::bar("reading  ", bytes);
    let read = CatalogueFile::read(file, &arguments.file, market.currency, &mut |bytes| {
        bar.set_position(bytes);
    });
    bar.finish_and_clear();
    let CatalogueFile { kind, lines, notes, rows } = read?;
    let count = lines.len();
    if arguments.dry_run {
        return output::print(&format!(
            "The file is fine ({kind}, {count} rows). It was not compared with the shop.\n"
        ));
    }
    let storage = &settings.storage;
    stores::prepare_if_needed(settings)?;
    let store = stores::open_or_create(storage, &market.name).await?;
    stores::hold_to_currency(&*store, market).await?;
    let bar = output::bar("importing", count as u64);
    let progress = {
        let bar = bar.clone();
        Box::new(move |done| {
            bar.set_position(done);
            if done == count as u64 {
                bar.set_prefix("finishing");
            }
        })
    };
    let outcome = store.change_catalogue(Box::new(rows), progress).await;
    bar.finish_and_clear();
    // The first prices say in which currency all later ones are.
    let held = stores::hold_to_currency(&*store, market).await;
    store.close().await;
    let reported = match outcome.map_err(stores::failed)? {
        ImportOutcome::Imported(summary) => {
            let notes = notes_of(notes, &summary);
            report(market.name.as_str(), kind, count, summary, notes, arguments.json)
        }
        ImportOutcome::Rejected(problems) => {
            let line = |row: usize| lines.get(row).copied().map_or(0, u64::from);
            let mut problems: Vec<Problem> = problems
                .into_iter()
                .map(|at| Problem { line: line(at.row), column: None, what: at.problem })
                .collect();
            Err(catalogue_file::rejected(&mut problems).into())
        }
    };
    reported.and(held)
}

/// What the file and the store have to say beside the numbers.
fn notes_of(mut notes: Vec<String>, summary: &ImportSummary) -> Vec<String> {
    if summary.added_without_stock > 0 {
        notes.push(format!(
            "{} new SKUs have no stock in the file, so they are sold out: import their sku_code \
             and stock",
            summary.added_without_stock
        ));
    }
    notes
}

fn report(
    market: &str,
    kind: Kind,
    rows: usize,
    summary: ImportSummary,
    notes: Vec<String>,
    json: bool,
) -> anyhow::Result<()> {
    let ImportSummary { products_added, skus_added, skus_updated, .. } = summary;
    if json {
        let imported = Imported { market, rows, products_added, skus_added, skus_updated, notes };
        return output::print_json(&imported);
    }
    let notes: String = notes.iter().map(|note| format!("Note: {note}.\n")).collect();
    output::print(&format!(
        "Imported {rows} rows ({kind}) into {market}: {products_added} products and {skus_added} \
         SKUs new, {skus_updated} SKUs updated.\n{notes}"
    ))
}

/// The file, which is read more than once, and its size in bytes. What comes through a pipe is
/// put into a temporary one.
fn file_of(path: &Path) -> anyhow::Result<(OpenSource, u64)> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let failed = || format!("cannot read {name}");
    let input = match is_stdin {
        true => None,
        false => Some(File::open(path).with_context(failed)?),
    };
    let file = match input {
        Some(file) if file.metadata().with_context(failed)?.is_file() => file,
        input => {
            let mut file = tempfile::tempfile().context("cannot make a temporary file")?;
            let input: Box<dyn Read> = match input {
                Some(pipe) => Box::new(pipe),
                None => Box::new(io::stdin()),
            };
            io::copy(&mut input.take(FILE_MAX + 1), &mut file).with_context(failed)?;
            file
        }
    };
    let bytes = file.metadata().with_context(failed)?.len();
    if bytes > FILE_MAX {
        return Err(Failure::new(format!("{name} is larger than 1 GiB"))
            .hint("split it; each part is imported as a whole")
            .into());
    }
    let open = move || -> io::Result<Box<dyn Read + Send>> {
        // All of them share one place in the file, and only the last one reads.
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Box::new(file))
    };
    Ok((Box::new(open), bytes))
}

/// Writes a market's catalogue as a file.
///
/// # Errors
/// The store cannot be read, or the file not written.
pub async fn export(settings: &Settings, arguments: &CatalogExport) -> anyhow::Result<()> {
    let market = stores::market(settings, arguments.market.market.as_deref())?;
    let export = async |store: &dyn Opened| {
        stores::hold_to_currency(store, market).await?;
        store.export_catalogue().await.map_err(stores::failed)
    };
    let rows = stores::with(&settings.storage, &market.name, export).await?;
    let by_name = arguments.out.as_deref().map_or(RowFormat::Csv, catalogue_file::format_of);
    let format = arguments.format.unwrap_or(by_name);
    let Some(path) = &arguments.out else {
        let out = BufWriter::new(io::stdout().lock());
        return output::finish(catalogue_file::write(&rows, format, market.currency, out));
    };
    let failed = || format!("cannot write {}", path.display());
    let mut out = BufWriter::new(File::create(path).with_context(failed)?);
    catalogue_file::write(&rows, format, market.currency, &mut out).with_context(failed)?;
    out.flush().with_context(failed)
}
