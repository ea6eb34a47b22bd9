//! Handshakes between this crate's client and a rustls server, with certificates that openssl has
//! made (`docker/certs.sh`).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use flowtracker_tls::certificate::{Certificate, date};
use flowtracker_tls::client::{Files, Part, Unfit, server_name};
use flowtracker_tls::rustls::client::ClientConfig;
use flowtracker_tls::rustls::pki_types::UnixTime;
use flowtracker_tls::rustls::server::{ServerConfig, WebPkiClientVerifier};
use flowtracker_tls::rustls::time_provider::TimeProvider;
use flowtracker_tls::rustls::{RootCertStore, crypto::ring};
use flowtracker_tls::tokio_rustls::TlsAcceptor;
use flowtracker_tls::{dial, explain, files};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A folder of certificates.
struct Lab(tempfile::TempDir);

impl Lab {
    fn new(names: &[&str]) -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/certs.sh");
        let made = Command::new(script).arg(lab.0.path()).args(names).env("DAYS", "1").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        lab
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// The files of a client that trusts this CA, with the pair of `name` unless that is empty.
    fn files(&self, name: &str) -> Files {
        let of = |kind| (!name.is_empty()).then(|| self.path(&format!("{name}.{kind}")));
        Files { ca: Some(self.path("ca.pem")), cert: of("pem"), key: of("key") }
    }

    /// Returns the address of a server with this lab's pair. With `clients` it demands certificates
    /// of that lab's CA.
    async fn serve(&self, clients: Option<&Lab>) -> SocketAddr {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(lab) => {
                let mut roots = RootCertStore::empty();
                roots.add(files::certificates(&lab.path("ca.pem")).unwrap().remove(0)).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let chain = files::certificates(&self.path("server.pem")).unwrap();
        let key = files::private_key(&self.path("server.key")).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.write_all(b"hello").await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        address
    }
}

/// Connects, and returns what the server says, or why it does not.
async fn hello(address: SocketAddr, files: &Files, name: &str) -> Result<String, String> {
    greeting(address, files.config().map_err(|unfit| unfit.to_string())?, name).await
}

async fn greeting(address: SocketAddr, config: Arc<ClientConfig>, name: &str) -> Result<String, String> {
    let stream = dial::tcp("127.0.0.1", address.port()).await.unwrap();
    let mut stream = dial::tls(stream, config, server_name(name)?).await?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await.map_err(|why| explain::explain(&why))?;
    Ok(said)
}

#[tokio::test]
async fn who_is_trusted_is_greeted() {
    let lab = Lab::new(&["control"]);
    let open = lab.serve(None).await;
    let closed = lab.serve(Some(&lab)).await;
    for name in ["control", "localhost", "127.0.0.1", "::1"] {
        assert_eq!(hello(open, &lab.files(""), name).await.as_deref(), Ok("hello"), "{name}");
        assert_eq!(hello(closed, &lab.files("viewer"), name).await.as_deref(), Ok("hello"), "{name}");
    }
}

#[tokio::test]
async fn whoever_is_not_trusted_is_told_why() {
    let lab = Lab::new(&[]);
    let other = Lab::new(&[]);
    let open = lab.serve(None).await;
    let closed = lab.serve(Some(&lab)).await;
    let refused = async |address, files: Files, name: &str| hello(address, &files, name).await.unwrap_err();
    assert!(refused(open, other.files(""), "localhost").await.contains("another one's signature"));
    let system = Files::default();
    assert_eq!(
        refused(open, system, "localhost").await,
        "its certificate is signed by no CA that is trusted here"
    );
    let name = refused(open, lab.files(""), "control").await;
    assert_eq!(name, "its certificate is for localhost, 127.0.0.1, 0::1, not for control");
    assert_eq!(refused(closed, lab.files(""), "localhost").await, "it demands a client certificate");
    let stranger = Files { ca: Some(lab.path("ca.pem")), ..other.files("viewer") };
    let refusal = refused(closed, stranger, "localhost").await;
    assert!(refusal.contains("client certificate"), "{refusal}");
}

/// A clock that shows this many seconds since 1970.
#[derive(Debug)]
struct Stopped(u64);

impl TimeProvider for Stopped {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_told_with_the_date() {
    let lab = Lab::new(&[]);
    let server = lab.serve(None).await;
    let certificate = files::certificates(&lab.path("server.pem")).unwrap().remove(0);
    let Certificate { not_before, not_after, .. } = Certificate::parse(&certificate).unwrap();
    for (now, why) in [
        (not_after.as_secs() + 1, format!("its certificate has expired, on {}", date(not_after))),
        (not_before.as_secs() - 1, format!("its certificate does not hold before {}", date(not_before))),
    ] {
        let mut config = ClientConfig::clone(&lab.files("").config().unwrap());
        config.time_provider = Arc::new(Stopped(now));
        assert_eq!(greeting(server, Arc::new(config), "localhost").await, Err(why));
    }
}

#[tokio::test]
async fn a_port_without_tls_is_told_apart() {
    let lab = Lab::new(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // The SETTINGS frame with which a server of HTTP/2 begins.
            let _ = stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
            let _ = stream.read(&mut [0; 1024]).await;
        }
    });
    assert_eq!(hello(address, &lab.files(""), "localhost").await.unwrap_err(), "it does not speak TLS");
}

#[test]
fn files_that_cannot_be_used_are_named_with_their_option() {
    let lab = Lab::new(&[]);
    let other = Lab::new(&[]);
    let plain = lab.path("plain");
    std::fs::write(&plain, "no certificate").unwrap();
    let broken = lab.path("broken");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nMIIB!\n-----END CERTIFICATE-----\n").unwrap();
    let long = lab.path("long");
    std::fs::write(&long, vec![b'x'; files::LONGEST as usize + 1]).unwrap();
    let encrypted = lab.path("encrypted");
    std::fs::write(
        &encrypted,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    let viewer = lab.files("viewer");
    for (files, part, reason) in [
        (Files { ca: Some(plain.clone()), ..viewer.clone() }, Part::Ca, "plain holds no certificate"),
        (Files { ca: Some(broken.clone()), ..viewer.clone() }, Part::Ca, "broken is not PEM"),
        (Files { ca: Some(long), ..viewer.clone() }, Part::Ca, "long is longer than 1048576 bytes"),
        (Files { ca: Some(lab.path("gone")), ..viewer.clone() }, Part::Ca, "gone: No such file"),
        (Files { cert: Some(plain.clone()), ..viewer.clone() }, Part::Cert, "plain holds no certificate"),
        (Files { key: Some(plain), ..viewer.clone() }, Part::Key, "plain holds no private key"),
        (Files { key: Some(encrypted), ..viewer.clone() }, Part::Key, "holds an encrypted key"),
        (Files { key: Some(other.path("viewer.key")), ..viewer.clone() }, Part::Key, "is not the key of"),
        (Files { key: None, ..viewer.clone() }, Part::Key, "the key of"),
        (Files { cert: None, ..viewer.clone() }, Part::Cert, "the certificate of"),
    ] {
        let Err(Unfit { part: found, reason: why }) = files.config() else { panic!("{reason}: accepted") };
        assert!(found == part && why.contains(reason), "{reason}: {found:?} {why}");
    }
    assert!(viewer.config().is_ok());
    assert!(server_name("a b").is_err() && server_name("").is_err());
}

#[test]
fn a_certificate_says_whose_it_is() {
    let lab = Lab::new(&["control.example"]);
    let read = |file: &str| Certificate::parse(&files::certificates(&lab.path(file)).unwrap()[0]).unwrap();
    let viewer = read("viewer.pem");
    assert_eq!(viewer.names().collect::<Vec<_>>(), ["viewer"]);
    assert_eq!((viewer.not_after - viewer.not_before).as_secs(), 86_400);
    assert_eq!(read("server.pem").names().collect::<Vec<_>>(), ["server", "localhost", "control.example"]);
}
