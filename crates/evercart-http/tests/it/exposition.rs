//! `/metrics`, read as strictly as its readers do: what `promtool check metrics` finds wrong in the
//! text format 0.0.4, and what OpenMetrics 1.0.0 asks for.

use std::collections::{BTreeMap, HashSet};

use crate::shop::{ANN, TestShop};

/// One description with its samples.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    unit: Option<String>,
    samples: Vec<Sample>,
}

/// One line: name, labels as they are written and parsed, value.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads an exposition. The name of a family is as its `# TYPE` has it.
fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line has no end");
    let mut families = BTreeMap::<String, Family>::new();
    let mut current = String::new();
    let mut series = HashSet::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (word, name) = (words.next().unwrap(), words.next().unwrap_or_default());
            let rest = words.next().unwrap_or_default().to_owned();
            if name != current {
                assert!(!families.contains_key(name), "{name} is described twice or torn apart");
                assert_eq!(word, "HELP", "{name} begins with its help");
                current = name.to_owned();
            }
            let family = families.entry(current.clone()).or_default();
            assert!(family.samples.is_empty(), "{line} stands behind samples");
            match word {
                "HELP" => family.help = rest,
                "TYPE" => family.kind = rest,
                "UNIT" => family.unit = Some(rest),
                _ => panic!("not a comment of the format: {line}"),
            }
            continue;
        }
        let sample = sample(line);
        assert!(series.insert((sample.name.clone(), sample.labels.clone())), "{line} comes twice");
        let family = families.get_mut(&current).expect("a description before the first sample");
        family.samples.push(sample);
    }
    families
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').expect("the labels' end")),
        None => (series, ""),
    };
    is_name(name);
    let mut found = BTreeMap::new();
    let mut rest = labels;
    while !rest.is_empty() {
        let (label, behind) = rest.split_once("=\"").expect("a label");
        is_name(label);
        let end = end_of_value(behind);
        let before = found.insert(label.to_owned(), behind[..end].to_owned());
        assert_eq!(before, None, "{label} comes twice in {line}");
        rest = behind[end + 1..].trim_start_matches(',');
    }
    let value = value.parse().unwrap_or_else(|_| panic!("not a number in {line}"));
    Sample { name: name.to_owned(), labels: found, value }
}

/// The place of the quote that is not escaped.
fn end_of_value(text: &str) -> usize {
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.expect("the value's end")
}

fn is_name(name: &str) {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let is_word = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    assert!(begins && is_word, "not a name: {name:?}");
}

/// What holds in either format. `counter_suffix` is what a counter's samples have behind its name.
fn check(families: &BTreeMap<String, Family>, counter_suffix: &str) {
    for (name, family) in families {
        assert!(name.starts_with("evercart_"), "{name}");
        assert!(family.help.len() > 5, "{name} has no help");
        assert!(!family.samples.is_empty(), "{name} has no samples");
        for unit in ["ms", "milliseconds", "us", "minutes", "hours", "kb", "kilobytes", "percent"] {
            assert!(!name.split('_').any(|word| word == unit), "{name}: not a base unit");
        }
        let reserved = ["_total", "_count", "_sum", "_bucket", "_created", "_info"];
        let is_reserved = reserved.iter().any(|suffix| name.ends_with(suffix));
        let names: HashSet<_> = family.samples.iter().map(|s| s.name.as_str()).collect();
        match &*family.kind {
            "counter" => {
                let sample = format!("{name}{counter_suffix}");
                assert!(sample.ends_with("_total"), "{name}");
                assert_eq!(names, HashSet::from([sample.as_str()]));
                assert!(family.samples.iter().all(|s| s.value >= 0.0 && s.value.fract() == 0.0));
            }
            "gauge" => {
                assert!(!is_reserved, "{name}");
                assert_eq!(names, HashSet::from([name.as_str()]));
            }
            "histogram" => {
                assert!(!is_reserved, "{name}");
                histogram(name, family);
            }
            other => panic!("{name} is a {other}"),
        }
        let seconds = name.ends_with("_seconds");
        assert!(family.unit.is_none() || seconds, "{name} does not end with its unit");
    }
}

/// Buckets that add up, by the series they belong to.
fn histogram(name: &str, family: &Family) {
    let mut buckets = BTreeMap::<BTreeMap<String, String>, Vec<(f64, f64)>>::new();
    for sample in &family.samples {
        if sample.name == format!("{name}_bucket") {
            let mut labels = sample.labels.clone();
            let le = labels.remove("le").expect("a bucket's bound");
            let le = if le == "+Inf" { f64::INFINITY } else { le.parse().expect("a bound") };
            buckets.entry(labels).or_default().push((le, sample.value));
        }
    }
    for (labels, buckets) in buckets {
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{name} {labels:?}");
        let (last, all) = *buckets.last().expect("a bucket");
        assert_eq!(last, f64::INFINITY, "{name} {labels:?}");
        let count = |of: &str| {
            let name = format!("{name}_{of}");
            let found = family.samples.iter().find(|s| s.name == name && s.labels == labels);
            found.unwrap_or_else(|| panic!("no {name} {labels:?}")).value
        };
        assert_eq!(count("count"), all);
        assert!(count("sum") >= 0.0);
    }
    for sample in &family.samples {
        let rest = sample.name.strip_prefix(name).unwrap_or_default();
        assert!(["_bucket", "_count", "_sum"].contains(&rest), "{}", sample.name);
    }
}

/// A shop with a little of everything counted.
async fn busy() -> TestShop {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 1).await;
    shop.get("/cart").send().await.is(401, "not_authenticated");
    shop.get("/nothing").send().await.is(404, "not_found");
    shop
}

#[tokio::test]
async fn the_text_format_is_what_is_said_it_is() {
    let shop = busy().await;
    for accept in ["", "*/*", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"] {
        let mut asked = shop.ask_inside("/metrics");
        if !accept.is_empty() {
            asked = asked.header("accept", accept);
        }
        let answer = asked.send().await;
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        assert!(!answer.text.contains("# EOF") && !answer.text.contains("# UNIT"));
        let families = parse(&answer.text);
        check(&families, "");
        assert!(families.contains_key("evercart_requests_total"), "{:?}", families.keys());
    }
}

#[tokio::test]
async fn open_metrics_is_what_is_said_it_is() {
    let shop = busy().await;
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
    let answer = shop.ask_inside("/metrics").header("accept", accept).send().await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), kind);
    let families = parse(answer.text.strip_suffix("# EOF\n").expect("the end mark"));
    check(&families, "_total");
    for (name, family) in &families {
        let unit = name.ends_with("_seconds").then_some("seconds");
        assert_eq!(family.unit.as_deref(), unit, "{name}");
    }
    let requests = &families["evercart_requests"].samples;
    assert!(requests.iter().any(|s| s.labels["route"] == "/cart" && s.labels["status"] == "401"));
}
