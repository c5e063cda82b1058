//! What is warned of at the start: files that others can read, a certificate that ends, messages
//! that go over an open line.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::config::{Settings, Sms};

/// So long before its end a certificate should have been renewed: most are, by a program, a month
/// before.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Warns of each.
pub fn warn(settings: &Settings, now: Timestamp) {
    for warning in warnings(settings, now) {
        tracing::warn!("{warning}");
    }
}

fn warnings(settings: &Settings, now: Timestamp) -> Vec<String> {
    let mut warnings = Vec::new();
    let data = &settings.storage.data;
    warnings.extend(open_to_others(data, "chmod 700", "customers' data and keys are in it"));
    for market in &settings.markets {
        let file = crate::stores::file(data, &market.name);
        warnings.extend(open_to_others(&file, "chmod 600", "customers' data is in it"));
    }
    if let Some(tls) = &settings.server.tls {
        let why = "whoever has the key can pass for this server";
        warnings.extend(open_to_others(&tls.key, "chmod 600", why));
        warnings.extend(certificate(&tls.cert, now));
    }
    let url = match &settings.sms {
        Sms::Log => None,
        Sms::Webhook { url, .. } | Sms::Twilio { url, .. } => Some(url),
    };
    if url.is_some_and(|url| is_open_line(url)) {
        warnings.push(
            "sms.url is plain http: whoever is on the way reads every sign-in code and can sign in \
             as anybody; use https"
                .to_owned(),
        );
    }
    warnings
}

/// Said of what others than its owner and group may read or enter.
fn open_to_others(path: &Path, mend: &str, why: &str) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let mode = std::fs::metadata(path).ok()?.mode() & 0o777;
    let place = path.display();
    (mode & 0o007 != 0).then(|| {
        format!(
            "{place} is open to every user of this machine (mode {mode:04o}), and {why}: \
             `{mend} {place}`"
        )
    })
}

/// Said of a certificate that has ended, or soon will.
pub fn certificate(file: &PathBuf, now: Timestamp) -> Option<String> {
    let first = CertificateDer::pem_file_iter(file).ok()?.next()?.ok()?;
    let certificate = Certificate::from_der(&first).ok()?;
    let ends = certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs();
    let ends = Timestamp::from_second(i64::try_from(ends).ok()?).ok()?;
    let (left, place) = (now.duration_until(ends), file.display());
    let mend = "renew it, and send the server SIGHUP";
    if left <= SignedDuration::ZERO {
        return Some(format!(
            "the certificate {place} has expired, on {ends}: clients refuse it; {mend}"
        ));
    }
    (left < RENEWED_BEFORE).then(|| {
        let days = left.as_hours() / 24;
        format!("the certificate {place} expires on {ends}, in {days} days: {mend}")
    })
}

/// True of a plain URL of another machine.
fn is_open_line(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(host) => host.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    !is_loopback && host != "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_to_another_machine_is_open_without_tls() {
        for url in
            ["http://sms.example/send", "http://user:pass@10.0.0.7:80", "http://127.0.0.1.x/"]
        {
            assert!(is_open_line(url), "{url}");
        }
        for url in [
            "https://sms.example/send",
            "http://127.0.0.1:9000/send",
            "http://localhost/",
            "http://u:p@[::1]:9000/",
        ] {
            assert!(!is_open_line(url), "{url}");
        }
    }

    #[test]
    fn a_certificate_is_warned_of_before_it_ends() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("cert.pem");
        let mut parameters = rcgen::CertificateParams::new(["localhost".into()]).expect("names");
        parameters.not_after = rcgen::date_time_ymd(2027, 3, 1);
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        std::fs::write(&file, certificate.pem()).expect("written");
        let at = |day: &str| {
            let now: Timestamp = format!("{day}T12:00:00Z").parse().expect("a moment");
            super::certificate(&file, now)
        };
        assert_eq!(at("2027-02-01"), None);
        assert!(at("2027-02-20").is_some_and(|said| said.contains("in 8 days: renew it")));
        assert!(at("2027-03-02").is_some_and(|said| said.contains("has expired")));
        std::fs::write(&file, "no certificate").expect("written");
        assert_eq!(at("2027-03-02"), None);
    }
}
