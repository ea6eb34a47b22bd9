//! The address of a service: `http://HOST:PORT`, `https://HOST:PORT`, `HOST:PORT` or `unix:PATH`.

use tonic::transport::Uri;

/// What is not an address.
const SHAPE: &str = "must be http://HOST:PORT, https://HOST:PORT, HOST:PORT or unix:PATH";

/// The part of an address that is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// Host, without brackets around an IPv6 address, and port.
    Tcp { host: String, port: u16, scheme: Option<Scheme> },
    /// Path of a unix socket.
    Unix(String),
}

/// What is spoken over TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// Returns how a URI begins.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
        }
    }
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// The reason, without the address.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            // gRPC's name syntax has both unix:PATH and unix:///PATH.
            let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
            return if path.is_empty() { Err(SHAPE.to_owned()) } else { Ok(Self::Unix(path.to_owned())) };
        }
        let scheme = [Scheme::Http, Scheme::Https].into_iter().find(|s| text.starts_with(s.prefix()));
        // Without a scheme, a port tells an address from a word.
        if scheme.is_none() && (text.contains("//") || !text.contains(':')) {
            return Err(SHAPE.to_owned());
        }
        let whole = if scheme.is_some() { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = whole.parse().map_err(|why| format!("{why}"))?;
        let authority = uri.authority().ok_or(SHAPE)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let place = authority.as_str();
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let after = place.strip_prefix(authority.host()).unwrap_or_default();
        let port = match after.strip_prefix(':') {
            None => {
                if scheme == Some(Scheme::Https) {
                    443
                } else {
                    80
                }
            }
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|port| *port != 0 && digits.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(|| format!("the port must be 1 to {}", u16::MAX))?,
        };
        if host.is_empty() {
            Err(SHAPE.to_owned())
        } else {
            Ok(Self::Tcp { host: host.to_owned(), port, scheme })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_or_a_path() {
        let tcp = |host: &str, port, scheme| Ok(Address::Tcp { host: host.to_owned(), port, scheme });
        let (http, https) = (Some(Scheme::Http), Some(Scheme::Https));
        for (text, address) in [
            ("http://127.0.0.1:50051", tcp("127.0.0.1", 50051, http)),
            ("http://[::1]:50051", tcp("::1", 50051, http)),
            ("http://localhost:1/", tcp("localhost", 1, http)),
            ("http://box", tcp("box", 80, http)),
            ("https://box", tcp("box", 443, https)),
            ("https://box:50051", tcp("box", 50051, https)),
            ("http://me@box:1", tcp("box", 1, http)),
            // A host that is a part of its port.
            ("http://5:50051", tcp("5", 50051, http)),
            ("127.0.0.1:50051", tcp("127.0.0.1", 50051, None)),
            ("[::1]:50051", tcp("::1", 50051, None)),
            ("box:1", tcp("box", 1, None)),
            ("unix:/run/socket", Ok(Address::Unix("/run/socket".to_owned()))),
            ("unix:///run/socket", Ok(Address::Unix("/run/socket".to_owned()))),
            ("unix:socket", Ok(Address::Unix("socket".to_owned()))),
        ] {
            assert_eq!(Address::parse(text), address, "{text}");
        }
        for text in [
            "http://127.0.0.1:99999",
            "http://127.0.0.1:65536",
            "http://127.0.0.1:0",
            "http://127.0.0.1:",
            "http://[::1]:99999",
            "http://::1:5",
            "http://",
            "http://:5",
            "https://:5",
            "box",
            "box:",
            "::1:5",
            "unix:",
            "ftp://x",
            "ftp://x:5",
            "",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        assert_eq!(Address::parse("box:99999").unwrap_err(), "the port must be 1 to 65535");
    }
}
