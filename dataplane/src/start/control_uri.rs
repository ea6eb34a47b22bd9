//! The value of `--control`: where the control service is.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use tonic::transport::Uri;

/// Longest path of a unix socket, in bytes: `sun_path` of unix(7) with its terminating zero.
const SUN_PATH: usize = 107;
/// Longest host name, in bytes (RFC 1035, section 2.3.4).
const HOST: usize = 253;

/// Where the control service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlUri {
    /// `http://HOST:PORT`.
    Http(String),
    /// `https://HOST:PORT`.
    Https {
        /// The host, without brackets around an IPv6 address.
        host: String,
        /// The port.
        port: u16,
    },
    /// `unix:PATH`.
    Unix(PathBuf),
}

impl fmt::Display for ControlUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlUri::Http(uri) => f.write_str(uri),
            ControlUri::Https { host, port } if host.contains(':') => write!(f, "https://[{host}]:{port}"),
            ControlUri::Https { host, port } => write!(f, "https://{host}:{port}"),
            ControlUri::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl ControlUri {
    /// Reads the value of `--control`.
    ///
    /// # Errors
    /// When nothing can ever answer there. The reason names the part at fault.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: String| format!("`{}`: {why}", text.escape_debug());
        match text.strip_prefix("unix:") {
            Some(path) => unix(path),
            None => http(text),
        }
        .map_err(bad)
    }
}

fn unix(path: &str) -> Result<ControlUri, String> {
    if path.is_empty() {
        return Err("unix: needs a path".to_owned());
    }
    if path.contains('\0') {
        return Err("a path cannot hold a zero byte".to_owned());
    }
    if path.len() > SUN_PATH {
        let length = path.len();
        return Err(format!("the path has {length} bytes; that of a unix socket has at most {SUN_PATH}"));
    }
    Ok(ControlUri::Unix(path.into()))
}

fn http(text: &str) -> Result<ControlUri, String> {
    const FORMS: &str = "http://HOST:PORT, https://HOST:PORT and unix:PATH are possible";
    let uri: Uri = text.parse().map_err(|error| format!("{error}; {FORMS}"))?;
    let Some(authority) = uri.authority().filter(|_| matches!(uri.scheme_str(), Some("http" | "https")))
    else {
        return Err(FORMS.to_owned());
    };
    // The parser leaves a fragment out.
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if !matches!(path, "" | "/") || text.contains('#') {
        return Err(format!("there is something after HOST:PORT; {FORMS}"));
    }
    let (host, after) = split(authority.as_str());
    if host.contains('@') {
        return Err(format!("it names a user; {FORMS}"));
    }
    check_host(host)?;
    let Some(port) = after.strip_prefix(':') else {
        return Err(format!("it names no port; {FORMS}"));
    };
    match port.parse::<u16>() {
        Ok(number @ 1..) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(if uri.scheme_str() == Some("https") {
                ControlUri::Https { host: host.trim_matches(['[', ']']).to_owned(), port: number }
            } else {
                ControlUri::Http(text.to_owned())
            })
        }
        _ => Err(format!("port `{}` is not in 1 to 65535", port.escape_debug())),
    }
}

/// Splits an authority behind its host. An IPv6 address is in brackets and has colons of its own.
fn split(authority: &str) -> (&str, &str) {
    let end = match authority.find(']') {
        Some(bracket) => bracket + 1,
        None => authority.rfind(':').unwrap_or(authority.len()),
    };
    authority.split_at(end)
}

fn check_host(host: &str) -> Result<(), String> {
    let shown = host.escape_debug();
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').and_then(|address| address.parse::<Ipv6Addr>().ok());
        return address.map(|_| ()).ok_or_else(|| format!("`{shown}` is not an IPv6 address in brackets"));
    }
    // A name whose last part is a number is read as an IPv4 address, and no name service knows it.
    let numeric = host.rsplit('.').next().is_some_and(|last| last.parse::<u64>().is_ok());
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err(format!("`{shown}` is not an IPv4 address"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if host.is_empty() || host.len() > HOST || !host.bytes().all(plain) {
        return Err(format!("`{shown}` is not a host name of 1 to {HOST} letters, digits, `-`, `_` and `.`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        ControlUri::parse(text).expect_err(text)
    }

    #[test]
    fn what_can_answer_is_taken_as_it_stands() {
        for text in [
            "http://127.0.0.1:50051",
            "http://[::1]:1",
            "http://[::ffff:10.0.0.1]:65535",
            "http://control:50051/",
            "http://control_1.lab.example:50051",
            "http://control.:50051",
        ] {
            assert_eq!(ControlUri::parse(text), Ok(ControlUri::Http(text.to_owned())));
        }
        for (text, host) in [("https://control:50051", "control"), ("https://[::1]:50051", "::1")] {
            let uri = ControlUri::parse(text).unwrap();
            assert_eq!(uri, ControlUri::Https { host: host.to_owned(), port: 50051 });
            assert_eq!(uri.to_string(), text);
        }
        for path in ["/run/ft.sock", "ft.sock", &"x".repeat(107)] {
            assert_eq!(ControlUri::parse(&format!("unix:{path}")), Ok(ControlUri::Unix(path.into())));
        }
    }

    #[test]
    fn what_can_never_answer_is_refused_by_its_part() {
        let forms = "http://HOST:PORT, https://HOST:PORT and unix:PATH are possible";
        let behind = format!("there is something after HOST:PORT; {forms}");
        let user = format!("it names a user; {forms}");
        let portless = format!("it names no port; {forms}");
        for (text, why) in [
            ("127.0.0.1:50051", forms),
            ("https://control", &portless),
            ("https://control:0", "port `0` is not in 1 to 65535"),
            ("ftp://control:50051", forms),
            ("/run/ft.sock", forms),
            ("http://127.0.0.1:99999", "port `99999` is not in 1 to 65535"),
            ("http://127.0.0.1:65536", "port `65536` is not in 1 to 65535"),
            ("http://control:0", "port `0` is not in 1 to 65535"),
            ("http://control:", "port `` is not in 1 to 65535"),
            ("http://control:+80", "port `+80` is not in 1 to 65535"),
            ("http://control:5005l", "port `5005l` is not in 1 to 65535"),
            ("http://control", &portless),
            ("http://[::1]", &portless),
            ("http://control:50051/api", &behind),
            ("http://control:50051?x=1", &behind),
            ("http://control:50051/#x", &behind),
            ("http://me@control:50051", &user),
            ("http://me:secret@control:50051", &user),
            ("http://127.0.0.256:50051", "`127.0.0.256` is not an IPv4 address"),
            ("http://127.1:50051", "`127.1` is not an IPv4 address"),
            ("http://[::1::2]:50051", "`[::1::2]` is not an IPv6 address in brackets"),
            ("unix:", "unix: needs a path"),
            ("unix:a\0b", "a path cannot hold a zero byte"),
        ] {
            assert_eq!(refused(text), format!("`{}`: {why}", text.escape_debug()));
        }
        for text in
            ["", "http://", "http://:50051", "http://[::1:50051", "http://[::1%25eth0]:50051", "http:// x:1"]
        {
            refused(text);
        }
        let long = format!("unix:{}", "x".repeat(108));
        assert!(refused(&long).ends_with("the path has 108 bytes; that of a unix socket has at most 107"));
        let long = format!("http://{}:50051", "x".repeat(254));
        assert!(refused(&long).contains("is not a host name of 1 to 253"));
    }
}
