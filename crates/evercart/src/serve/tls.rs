//! Certificate and private key for HTTPS (rustls, with ring's cryptography).

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;
use crate::failure::Failure;

/// Makes ring the cryptography of everything that does not choose for itself.
pub fn use_ring() {
    // A second call finds it installed already, which is what was wanted.
    let _ = ring::default_provider().install_default();
}

/// Reads certificate chain and key.
///
/// # Errors
/// A file cannot be read, is not PEM, or the two do not belong together.
pub fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, Failure> {
    let TlsFiles { cert, key } = files;
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable("certificate", cert, &error))?;
    if chain.is_empty() {
        let place = cert.display();
        return Err(Failure::new(format!("server.tls_cert: there is no certificate in {place}"))
            .hint("it must be PEM, with -----BEGIN CERTIFICATE-----"));
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unreadable("private key", key, &error))?;
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| {
            let (cert, key) = (cert.display(), key.display());
            Failure::new(format!("{cert} and {key} cannot be used for HTTPS: {error}"))
                .hint("the key must be the one the certificate was issued for")
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn unreadable(what: &str, path: &Path, error: &rustls::pki_types::pem::Error) -> Failure {
    let setting = if what == "certificate" { "tls_cert" } else { "tls_key" };
    let place = path.display();
    Failure::new(format!("server.{setting}: the {what} {place} cannot be read: {error}"))
        .hint("it must be a PEM file that the user running evercart can read")
}
