//! `ctl` over TLS: with certificates that openssl has made, through a relay that ends TLS in front
//! of a service.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use flowtracker_proto::v1::{Dataplane, WhoAmIResponse};
use flowtracker_tls::files;
use flowtracker_tls::rustls::RootCertStore;
use flowtracker_tls::rustls::crypto::ring;
use flowtracker_tls::rustls::server::{ServerConfig, WebPkiClientVerifier};
use flowtracker_tls::tokio_rustls::TlsAcceptor;
use tokio::net::{TcpListener, TcpStream};
use tonic::{Code, Status};

use crate::rig::soon;
use crate::scripted::{Answer, Scripted};

/// A folder of certificates, which is the home of `ctl` as well.
struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        lab.issue();
        lab
    }

    fn issue(&self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/certs.sh");
        let made = Command::new(script).arg(self.0.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn text(&self, file: &str) -> String {
        self.path(file).display().to_string()
    }

    fn acceptor(&self, demands: bool) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = if demands {
            let mut roots = RootCertStore::empty();
            roots.add(files::certificates(&self.path("ca.pem")).unwrap().remove(0)).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let chain = files::certificates(&self.path("server.pem")).unwrap();
        let key = files::private_key(&self.path("server.key")).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// Ends TLS in front of `service`.
    async fn relay(&self, demands: bool, service: &str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (acceptor, service) = (self.acceptor(demands), service.replace("http://", ""));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, service) = (acceptor.clone(), service.clone());
                tokio::spawn(async move {
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let mut server = TcpStream::connect(service).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        address
    }

    async fn ctl(&self, arguments: &str, environment: &[(&str, &str)]) -> Output {
        let mut ctl = Command::new(env!("CARGO_BIN_EXE_ctl"));
        ctl.args(arguments.split_whitespace()).stdin(Stdio::null());
        ctl.env("HOME", self.0.path()).env_remove("XDG_CONFIG_HOME").env_remove("FLOWTRACKER_SERVER");
        ctl.envs(environment.iter().copied());
        soon(arguments, tokio::task::spawn_blocking(move || ctl.output())).await.unwrap().unwrap()
    }
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn dataplanes() -> Answer {
    Answer::Dataplanes(vec![Dataplane { name: "lab-plane".to_owned(), ..Dataplane::default() }])
}

#[tokio::test]
async fn certificates_come_from_flags_the_environment_or_a_context() {
    let lab = Lab::new();
    let service = Scripted::start((0..6).map(|_| dataplanes()).collect()).await;
    let port = lab.relay(true, service.uri()).await.port();
    let (ca, cert, key) = (lab.text("ca.pem"), lab.text("viewer.pem"), lab.text("viewer.key"));
    let flags = format!("--cacert {ca} --cert {cert} --key {key}");
    let variables = [
        ("FLOWTRACKER_SERVER", format!("https://localhost:{port}")),
        ("FLOWTRACKER_CACERT", ca.clone()),
        ("FLOWTRACKER_CERT", cert),
        ("FLOWTRACKER_KEY", key),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    std::fs::create_dir_all(lab.path(".config/flowtracker")).unwrap();
    let file = lab.path(".config/flowtracker/config.toml");
    let contexts = format!(
        "# of the lab\n[contexts.lab]\nserver = \"https://127.0.0.1:{port}\"\ncacert = \"~/ca.pem\"\n\
         cert = \"../../viewer.pem\"\nkey = \"~/viewer.key\"\n[contexts.gone]\nserver = \"http://127.0.0.1:9\"\n"
    );
    std::fs::write(&file, &contexts).unwrap();
    for (arguments, environment) in [
        (format!("--server https://localhost:{port} {flags} dataplanes"), &[][..]),
        (format!("dataplanes --server 127.0.0.1:{port} {flags}"), &[][..]),
        ("dataplanes".to_owned(), &variables[..]),
        ("--context lab dataplanes".to_owned(), &variables[..1]),
    ] {
        let (code, out, err) = said(&lab.ctl(&arguments, environment).await);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments}");
        assert!(out.contains("lab-plane"), "{arguments}: {out}");
    }

    let chosen = said(&lab.ctl("config use-context lab", &[]).await);
    assert_eq!(chosen, (Some(0), format!("{}: the current context is lab\n", file.display()), String::new()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("current-context = \"lab\"\n{contexts}"));
    let (code, out, _) = said(&lab.ctl("dataplanes", &[]).await);
    assert!(code == Some(0) && out.contains("lab-plane"), "{out}");
    let (_, out, _) = said(&lab.ctl("config get-contexts", &[]).await);
    assert!(out.contains(&format!("* lab   https://127.0.0.1:{port}  {}\n", file.display())), "{out}");
    let (_, out, _) = said(&lab.ctl("config view", &[("FLOWTRACKER_CERT", "/e")]).await);
    let context = format!("context lab of {}", file.display());
    assert!(
        out.lines().any(|line| line.starts_with("server ") && line.ends_with(&format!("({context})"))),
        "{out}"
    );
    assert!(
        out.lines().any(|line| line.starts_with("cert ") && line.ends_with("(FLOWTRACKER_CERT)")),
        "{out}"
    );
    assert!(
        out.lines().any(|line| line.starts_with("server-name  -") && line.ends_with("(default)")),
        "{out}"
    );
    let (code, _, err) = said(&lab.ctl("config use-context other", &[]).await);
    assert_eq!((code, err.as_str()), (Some(2), "ctl: there is no context \"other\"; there are gone, lab\n"));
}

#[tokio::test]
async fn a_connection_that_is_not_trusted_says_why() {
    let lab = Lab::new();
    let other = Lab::new();
    let service = Scripted::start(Vec::new()).await;
    let open = lab.relay(false, service.uri()).await.port();
    let closed = lab.relay(true, service.uri()).await.port();
    let plain = service.uri().to_owned();
    let plain_tls = plain.replace("http:", "https:");
    let (ca, other_ca) = (lab.text("ca.pem"), other.text("ca.pem"));
    let pair = |lab: &Lab| format!("--cert {} --key {}", lab.text("viewer.pem"), lab.text("viewer.key"));
    let mixed = format!("--cert {} --key {}", lab.text("viewer.pem"), lab.text("admin.key"));
    let gone = lab.text("gone");
    for (arguments, code, reason) in [
        (format!("--server https://localhost:{open}"), 3, "signed by no CA that is trusted here".to_owned()),
        (
            format!("--server https://localhost:{open} --cacert {other_ca}"),
            3,
            "another one's signature".to_owned(),
        ),
        (
            format!("--server https://localhost:{open} --cacert {ca} --server-name control"),
            3,
            "not for control".to_owned(),
        ),
        (
            format!("--server https://localhost:{closed} --cacert {ca}"),
            3,
            "it demands a client certificate".to_owned(),
        ),
        (
            format!("--server https://localhost:{closed} --cacert {ca} {}", pair(&other)),
            3,
            "client certificate".to_owned(),
        ),
        (format!("--server {plain_tls} --cacert {ca}"), 3, "it does not speak TLS".to_owned()),
        (format!("--server http://127.0.0.1:{open}"), 3, "it speaks TLS: https://HOST:PORT".to_owned()),
        (
            format!("--server https://localhost:{open} --cacert {gone}"),
            2,
            format!("ctl: --cacert: {gone}: No such file"),
        ),
        (
            format!("--server https://localhost:{open} --cacert {ca} {mixed}"),
            2,
            format!("ctl: --key: {} is not the key of the certificate in", lab.text("admin.key")),
        ),
        (format!("--server https://localhost:{open} --cert {ca}"), 2, "ctl: --key: the key of".to_owned()),
    ] {
        let (found, _, err) = said(&lab.ctl(&format!("{arguments} dataplanes"), &[]).await);
        assert!(found == Some(code) && err.contains(&reason), "{arguments}: {found:?} {err}");
        let (found, _, p4tc) = said(
            &lab.ctl(&format!("{arguments} p4ctrl get flowtracker/table/Main/ct_flow_table"), &[]).await,
        );
        assert!(found == Some(255) && p4tc.starts_with("Error: "), "{arguments}: {found:?} {p4tc}");
    }
    // Where the value stands elsewhere, it is named there.
    let server = format!("https://localhost:{open}");
    let environment = [("FLOWTRACKER_SERVER", server.as_str()), ("FLOWTRACKER_CACERT", gone.as_str())];
    let (_, _, err) = said(&lab.ctl("list", &environment).await);
    assert!(err.starts_with(&format!("ctl: FLOWTRACKER_CACERT: {gone}: No such file")), "{err}");
    let (_, _, err) = said(&lab.ctl("list", &[("FLOWTRACKER_SERVER", "ftp://x")]).await);
    assert!(err.starts_with("ctl: FLOWTRACKER_SERVER=ftp://x: must be http://HOST:PORT"), "{err}");
    let (code, _, err) = said(&lab.ctl("list", &[("FLOWTRACKER_CONFIG", &gone)]).await);
    assert!(
        code == Some(2) && err.starts_with(&format!("ctl: FLOWTRACKER_CONFIG={gone}: No such file")),
        "{err}"
    );
}

#[tokio::test]
async fn whoami_prints_what_the_service_says_and_refusals_are_exit_1() {
    let lab = Lab::new();
    let who = |identity: &str, role: &str| {
        let door = "listen 127.0.0.1:50051".to_owned();
        Answer::Caller(WhoAmIResponse { identity: identity.to_owned(), role: role.to_owned(), door })
    };
    let denied = |code, message: &str| Answer::Refused(Status::new(code, message));
    let service = Scripted::start(vec![
        who("CN=alice", "operator"),
        who("", ""),
        who("CN=alice", "operator"),
        denied(Code::PermissionDenied, "CN=alice is a viewer; DeleteEntry needs an operator"),
        denied(Code::Unauthenticated, "no certificate"),
    ])
    .await;
    let environment = [("FLOWTRACKER_SERVER", service.uri())];
    let (_, out, _) = said(&lab.ctl("whoami", &environment).await);
    assert_eq!(out, "identity  CN=alice\nrole      operator\ndoor      listen 127.0.0.1:50051\n");
    let (_, out, _) = said(&lab.ctl("whoami", &environment).await);
    assert_eq!(out, "identity  -\nrole      -\ndoor      listen 127.0.0.1:50051\n");
    let (_, out, _) = said(&lab.ctl("whoami -o json", &environment).await);
    assert_eq!(
        out,
        "{\"identity\":\"CN=alice\",\"role\":\"operator\",\"door\":\"listen 127.0.0.1:50051\"}\n"
    );
    let delete = "delete port0/tcp/10.0.0.1:1-10.0.0.2:2";
    let refused = said(&lab.ctl(delete, &environment).await);
    let viewer = "ctl: CN=alice is a viewer; DeleteEntry needs an operator\n";
    assert_eq!(refused, (Some(1), String::new(), viewer.to_owned()));
    let refused = said(&lab.ctl(delete, &environment).await);
    assert_eq!(refused, (Some(1), String::new(), "ctl: no certificate\n".to_owned()));
}
