//! `evercart check`: every promise of the schema, in every market, and a verdict.

use std::process::ExitCode;

use evercart_core::check::advice;
use evercart_core::market::MarketName;
use evercart_core::operator::CheckReport;
use serde::Serialize;

use crate::cli::Check;
use crate::config::Settings;
use crate::last_backup::LastBackup;
use crate::{failure, output, stores};

#[derive(Serialize)]
struct Checked<'a> {
    ok: bool,
    verdict: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_backup: Option<&'a LastBackup>,
    markets: Vec<CheckedMarket<'a>>,
}

#[derive(Serialize)]
struct CheckedMarket<'a> {
    market: &'a str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    promises: &'a [&'static str],
    findings: Vec<CheckedFinding<'a>>,
    users: u64,
    cart_lines: u64,
    wishes: u64,
    orders: u64,
    products: u64,
    skus: u64,
}

#[derive(Serialize)]
struct CheckedFinding<'a> {
    promise: &'a str,
    found: &'a str,
    means: &'a str,
    mend: &'a str,
}

/// What was found in a market, or why it could not be looked at.
type Looked = (MarketName, anyhow::Result<CheckReport>);

/// Checks and reports; fails (exit code 1) if anything is wrong.
///
/// # Errors
/// There is no data.
pub async fn run(settings: &Settings, arguments: &Check) -> anyhow::Result<ExitCode> {
    let mut looked: Vec<Looked> = Vec::new();
    for market in stores::present_or_fail(settings).await? {
        // One that cannot be looked at keeps nobody from looking at the others.
        let report = stores::check(&settings.storage, &market).await;
        looked.push((market, report));
    }
    let last_backup = LastBackup::newest(settings);
    let (ok, verdict) = verdict(&looked);
    if arguments.json {
        let markets = looked.iter().map(as_json).collect();
        let last_backup = last_backup.as_ref();
        output::print_json(&Checked { ok, verdict: &verdict, last_backup, markets })?;
    } else {
        for (market, report) in &looked {
            output::print(&match report {
                Ok(report) => as_text(market.as_str(), report),
                Err(error) => format!("{market}: not checked\n{}", failure::report(error).0),
            })?;
        }
        output::print(&format!("verdict: {verdict}\n"))?;
        if !ok {
            output::print(&what_to_do(last_backup.as_ref()))?;
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One line for all markets.
fn verdict(looked: &[Looked]) -> (bool, String) {
    let mut parts = Vec::new();
    let mut sound = Vec::new();
    for (market, report) in looked {
        match report {
            Err(_) => parts.push(format!("{market} cannot be checked")),
            Ok(report) if report.findings.is_empty() => sound.push(market.as_str()),
            Ok(report) => {
                let is_broken = |promise: &&&str| {
                    report.findings.iter().any(|finding| finding.promise == **promise)
                };
                let broken = report.promises.iter().filter(is_broken).count();
                let promises = if broken == 1 { "promise" } else { "promises" };
                parts.push(format!("{market} breaks {broken} {promises}"));
            }
        }
    }
    let ok = parts.is_empty();
    if !sound.is_empty() {
        let keeps = if sound.len() == 1 { "keeps" } else { "keep" };
        parts.push(format!("{} {keeps} every promise", sound.join(", ")));
    }
    let says = if ok { "sound" } else { "NOT SOUND" };
    (ok, format!("{says}: {}", parts.join("; ")))
}

/// What somebody who has just read the findings needs next.
fn what_to_do(last_backup: Option<&LastBackup>) -> String {
    let backup = match last_backup {
        Some(last) if last.is_there() => format!(
            "The last backup known here is {}, of {}: `evercart backup verify` says whether it is \
             whole.",
            last.file, last.created_at
        ),
        Some(last) => format!(
            "The last backup known here was {}, of {}: it is not there any more.",
            last.file, last.created_at
        ),
        None => "No backup is known here.".to_owned(),
    };
    format!(
        "{backup}\nBefore you mend anything, keep what is there: `evercart backup --unchecked \
         FILE`. Afterwards, check again.\n"
    )
}

fn as_json((market, report): &Looked) -> CheckedMarket<'_> {
    let (report, error) = match report {
        Ok(report) => (Some(report), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    let counts = report.map(|report| report.counts).unwrap_or_default();
    let findings = report.map_or(&[][..], |report| &report.findings);
    let findings = findings.iter().map(|finding| {
        let advice = advice(finding.promise);
        CheckedFinding {
            promise: finding.promise,
            found: &finding.found,
            means: advice.map_or("", |advice| advice.means),
            mend: advice.map_or("", |advice| advice.mend),
        }
    });
    CheckedMarket {
        market: market.as_str(),
        ok: report.is_some_and(|report| report.findings.is_empty()),
        error,
        promises: report.map_or(&[], |report| &report.promises),
        findings: findings.collect(),
        users: counts.users,
        cart_lines: counts.cart_lines,
        wishes: counts.wishes,
        orders: counts.orders,
        products: counts.products,
        skus: counts.skus,
    }
}

/// A market's promises, each with `ok`, or with everything that breaks it, what that means and how
/// to mend it.
fn as_text(market: &str, report: &CheckReport) -> String {
    let counts = report.counts;
    let mut text = format!(
        "{market}: {} customers, {} cart lines, {} wishes, {} orders, {} products, {} SKUs\n",
        counts.users, counts.cart_lines, counts.wishes, counts.orders, counts.products, counts.skus
    );
    for promise in &report.promises {
        match wrong(promise, report) {
            Some(wrong) => text.push_str(&wrong),
            None => text.push_str(&format!("  ok     {promise}\n")),
        }
    }
    text
}

/// Only the promises that are broken.
pub fn broken_as_text(report: &CheckReport) -> String {
    report.promises.iter().filter_map(|promise| wrong(promise, report)).collect()
}

fn wrong(promise: &str, report: &CheckReport) -> Option<String> {
    let mut broken = report.findings.iter().filter(|found| found.promise == promise).peekable();
    broken.peek()?;
    let mut text = format!("  WRONG  {promise}\n");
    for finding in broken {
        text.push_str(&format!("         {}\n", finding.found));
    }
    if let Some(advice) = advice(promise) {
        text.push_str(&format!("         means: {}\n", advice.means));
        text.push_str(&format!("         mend:  {}\n", advice.mend));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use evercart_core::operator::{Counts, Finding};

    fn report(findings: Vec<Finding>) -> CheckReport {
        let promises = vec!["stock is never below zero", "every SKU has a stock"];
        CheckReport { promises, findings, counts: Counts::default() }
    }

    #[test]
    fn a_broken_promise_is_shown_with_what_breaks_it_and_how_to_mend_it() {
        let found = "SKU 19 (MUG)".into();
        let text =
            as_text("us", &report(vec![Finding { promise: "every SKU has a stock", found }]));
        assert!(text.contains("  ok     stock is never below zero\n"), "{text}");
        let broken = "  WRONG  every SKU has a stock\n         SKU 19 (MUG)\n         means: ";
        assert!(text.contains(broken) && text.contains("\n         mend:  "), "{text}");
    }

    #[test]
    fn the_verdict_names_every_market() {
        let market = |name: &str| MarketName::new(name).expect("a name");
        let finding = || Finding { promise: "every SKU has a stock", found: "SKU 1".into() };
        let looked = [
            (market("fr"), Err(anyhow::anyhow!("it is gone"))),
            (market("kg"), Ok(report(vec![]))),
            (market("us"), Ok(report(vec![finding(), finding()]))),
        ];
        let (ok, text) = verdict(&looked);
        assert!(!ok);
        let expected = "NOT SOUND: fr cannot be checked; us breaks 1 promise; kg keeps every \
             promise";
        assert_eq!(text, expected);
        assert_eq!(verdict(&looked[1..2]), (true, "sound: kg keeps every promise".into()));
    }
}
