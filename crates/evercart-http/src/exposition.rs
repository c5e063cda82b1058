//! The two forms that Prometheus and its like read counters in: the text format 0.0.4, and
//! OpenMetrics 1.0.0 for whoever asks for it.

use axum::http::{HeaderMap, header};

use crate::header_list::weighted;

/// How counters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exposition {
    /// Prometheus' text format 0.0.4, which every reader knows.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Exposition {
    /// What `Accept` asks for: OpenMetrics if that is named and nothing else is wanted more.
    pub(crate) fn asked_for(headers: &HeaderMap) -> Self {
        let known = |range: &str| match &*range.to_ascii_lowercase() {
            "application/openmetrics-text" => Some(Self::OpenMetrics),
            "text/plain" | "text/*" | "*/*" => Some(Self::Text),
            _ => None,
        };
        weighted(headers, &header::ACCEPT).into_iter().find_map(known).unwrap_or(Self::Text)
    }

    /// Its `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// OpenMetrics in the text format 0.0.4: there a counter's description has the name of its samples,
/// with `_total`, and there are no units and no end mark.
pub(crate) fn to_text(open_metrics: &str) -> String {
    let mut out = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(of) = line.strip_prefix("# HELP ") {
            // Whether it is about a counter, the next line says.
            help = Some(of);
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of.split_once(' ').unwrap_or((of, "untyped"));
            let suffix = if kind == "counter" { "_total" } else { "" };
            let described = help.take().and_then(|help: &str| help.split_once(' '));
            if let Some((_, text)) = described {
                out.push_str(&format!("# HELP {name}{suffix} {text}\n"));
            }
            out.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with("# ") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(accept: &str) -> Exposition {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().expect("a value"));
        Exposition::asked_for(&headers)
    }

    #[test]
    fn open_metrics_is_for_who_asks_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for accept in
            [prometheus, "application/openmetrics-text", "text/html, Application/OpenMetrics-Text"]
        {
            assert_eq!(asked_for(accept), Exposition::OpenMetrics, "{accept}");
        }
        for accept in [
            "*/*",
            "text/plain;version=0.0.4",
            "text/plain, application/openmetrics-text",
            "application/openmetrics-text;q=0.1, text/*;q=0.2",
            "application/openmetrics-text;q=0",
            "application/json",
        ] {
            assert_eq!(asked_for(accept), Exposition::Text, "{accept}");
        }
        assert_eq!(Exposition::asked_for(&HeaderMap::new()), Exposition::Text);
    }

    #[test]
    fn the_text_format_names_counters_as_their_samples() {
        let open_metrics = "# HELP x_seen Things # TYPE seen.\n# TYPE x_seen counter\n\
            x_seen_total{of=\"# HELP\"} 3\n# HELP x_wait_seconds Time.\n\
            # TYPE x_wait_seconds gauge\n# UNIT x_wait_seconds seconds\n\
            x_wait_seconds 0.5\n# EOF\n";
        let text = "# HELP x_seen_total Things # TYPE seen.\n# TYPE x_seen_total counter\n\
            x_seen_total{of=\"# HELP\"} 3\n# HELP x_wait_seconds Time.\n\
            # TYPE x_wait_seconds gauge\nx_wait_seconds 0.5\n";
        assert_eq!(to_text(open_metrics), text);
    }
}
