//! `evercart catalog import` and `export`.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use anyhow::Context;
use evercart_core::catalogue::{ImportOutcome, ImportSummary, RowsInMemory};
use serde::Serialize;

use crate::catalogue_file::{self, Kind, Problem, Rows};
use crate::cli::{CatalogExport, CatalogImport, RowFormat};
use crate::config::Settings;
use crate::failure::Failure;
use crate::stores::Opened;
use crate::{output, stores};

/// The largest file taken, in bytes: it is read as a whole, because it goes in as a whole.
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
    let content = content_of(&arguments.file)?;
    let bar = output::bar("reading  ", content.len() as u64);
    let read = catalogue_file::read(&content, &arguments.file, market.currency, &mut |bytes| {
        bar.set_position(bytes);
    });
    bar.finish_and_clear();
    let Rows { kind, rows, lines, notes } = read?;
    let count = rows.len();
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
        Box::new(move |done| bar.set_position(done))
    };
    let outcome = store.change_catalogue(Box::new(RowsInMemory::new(rows)), progress).await;
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
            let line = |row: usize| lines.get(row).copied().unwrap_or(0);
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

fn content_of(file: &Path) -> anyhow::Result<Vec<u8>> {
    let is_stdin = file == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { file.display().to_string() };
    let failed = || format!("cannot read {name}");
    let from: Box<dyn Read> = match is_stdin {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(file).with_context(failed)?),
    };
    let mut content = Vec::new();
    from.take(FILE_MAX + 1).read_to_end(&mut content).with_context(failed)?;
    if content.len() as u64 > FILE_MAX {
        return Err(Failure::new(format!("{name} is larger than 1 GiB"))
            .hint("split it; each part is imported as a whole")
            .into());
    }
    Ok(content)
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
