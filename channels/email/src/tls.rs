//! TLS towards mail servers: which authorities are believed, and what a refusal means.
//!
//! The Mozilla roots compiled in, plus the operator's own authority when one is named; `ring` is the only provider, chosen
//! here by hand so that no other crate's choice of a process-wide default can change it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Why no TLS configuration could be made. Always a matter of configuration: trying again changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The authority file is absent, unreadable, or no PEM.
    #[error("cannot read the authority file {}: {reason}; name a readable PEM file in `ca_file`, or leave it out", path.display())]
    Unreadable {
        /// The file named in the configuration.
        path: PathBuf,
        /// What the system or the parser said.
        reason: String,
    },
    /// The file holds no certificate that can serve as an authority.
    #[error("{} holds no usable certificate; put the authority's certificate (BEGIN CERTIFICATE) into it", path.display())]
    NoCertificate {
        /// The file named in the configuration.
        path: PathBuf,
    },
    /// The provider refuses the protocol versions compiled in.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// A client configuration that believes the compiled-in roots and, if named, the certificates in `ca_file`.
///
/// Reads the file each time it is called: make one configuration a source and share it.
pub fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        add_authorities(&mut roots, path)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What went wrong in a handshake, told apart because the remedies differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// We do not believe the server's certificate: unknown authority, other name, expired.
    Certificate(String),
    /// What answered does not speak TLS; most often the port of STARTTLS.
    NotTls,
}

/// Finds the lasting reasons in an error of a handshake; `None` means the network, which may heal.
pub fn refusal(error: &io::Error) -> Option<Refusal> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(reason) => Some(Refusal::Certificate(reason.to_string())),
        rustls::Error::InvalidMessage(_) => Some(Refusal::NotTls),
        _ => None,
    }
}

fn add_authorities(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsError> {
    let unreadable = |reason: String| TlsError::Unreadable { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        added += usize::from(roots.add(certificate).is_ok());
    }
    if added == 0 {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_missing_authority_file_is_named_in_the_error_with_its_key() {
        let error = client_config(Some(Path::new("/nowhere/ca.pem"))).unwrap_err().to_string();
        assert!(error.contains("/nowhere/ca.pem") && error.contains("`ca_file`"), "{error}");
    }

    #[test]
    fn a_file_without_certificates_is_refused_instead_of_silently_ignored() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "not a certificate").unwrap();
        let error = client_config(Some(file.path())).unwrap_err().to_string();
        assert!(error.contains("holds no usable certificate"), "{error}");
    }

    #[test]
    fn an_own_authority_is_added_to_the_roots() {
        let authority = rcgen::generate_simple_self_signed(vec!["mail.test".to_owned()]).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{}", authority.cert.pem()).unwrap();
        assert!(client_config(Some(file.path())).is_ok());
    }
}
