//! [`NodeAddress`]: where a node is, as people give it: `http://user:password@host:port`. It looks nothing up.
//!
//! A path often is a key that its provider sells, so messages never show it, like a password.

use std::fmt;
use std::net::IpAddr;

use super::error::NodeError;

/// What an address may have.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// The port where none is given.
    pub port: u16,
    /// Whether a path may follow: providers put their keys there.
    pub has_path: bool,
}

/// A Bitcoin node of the main chain.
pub(crate) const BITCOIN: Form = Form { port: 8332, has_path: false };

/// Where a node is. It prints without password and path.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeAddress {
    host: String,
    port: u16,
    /// From the slash on; empty where there is none.
    path: String,
    /// What the address itself says about the login.
    login: Option<(String, String)>,
}

impl NodeAddress {
    /// Reads `http://[user:password@]host[:port][/]`, of a Bitcoin node.
    pub fn parse(text: &str) -> Result<Self, NodeError> {
        Self::parse_as(text, BITCOIN)
    }

    /// Reads `http://[user:password@]host[:port][/path]`, as far as the form allows it.
    pub fn parse_as(text: &str, form: Form) -> Result<Self, NodeError> {
        let wrong = |what: &str| NodeError::Address { given: without_login(text), what: what.to_owned() };
        if text.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://")) {
            return Err(wrong(
                "https is not spoken here; give http:// and a node on this machine, or the near end of a tunnel (ssh -L)",
            ));
        }
        let rest = text.get(..7).filter(|start| start.eq_ignore_ascii_case("http://"));
        let rest = rest.map(|_| &text[7..]).ok_or_else(|| wrong("give http://HOST:PORT"))?;
        let (rest, path) = if form.has_path { split_path(rest) } else { (rest, "") };
        let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(wrong("the path has a character that must be written as % and two hex digits"));
        }
        let (host, port) = split_port(rest).ok_or_else(|| wrong("the port is no number from 1 to 65535"))?;
        let letters = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match bracketed {
            Some(inner) => matches!(inner.parse(), Ok(IpAddr::V6(_))),
            None => !host.is_empty() && letters(host),
        };
        if !is_host {
            return Err(wrong(if form.has_path {
                "give http://HOST:PORT"
            } else {
                "give http://HOST:PORT, without a path"
            }));
        }
        let login = match login {
            None => None,
            Some(login) => {
                let (user, password) = login.split_once(':').unwrap_or((login, ""));
                let both = decoded(user).zip(decoded(password));
                Some(both.ok_or_else(|| wrong("the login in it has a % that is not followed by two hex digits"))?)
            }
        };
        Ok(Self { host: host.to_owned(), port: port.unwrap_or(form.port), path: path.to_owned(), login })
    }

    /// The host, in brackets where it is an IPv6 address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What questions are posted to, with the path.
    pub(crate) fn url(&self) -> String {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        format!("{self}{path}")
    }

    /// User and password, where the address has them.
    pub(crate) fn login(&self) -> Option<(String, String)> {
        self.login.clone()
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn split_port(rest: &str) -> Option<(&str, Option<u16>)> {
    match rest.rsplit_once(':').filter(|_| !rest.ends_with(']')) {
        None => Some((rest, None)),
        Some((host, port)) => port.parse().ok().filter(|port| *port > 0).map(|port| (host, Some(port))),
    }
}

/// An address and its path. A slash inside a login must be written as `%2f`, as everywhere.
fn split_path(rest: &str) -> (&str, &str) {
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    rest.split_at(at)
}

/// What was given, for a message: whatever stands before an `@`, or after the host, is left out.
fn without_login(text: &str) -> String {
    let (scheme, rest) = text.find("://").map_or(("", text), |at| text.split_at(at + 3));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, after)| after);
    let host = rest.find(['/', '?']).map_or(rest, |at| &rest[..at]);
    let path = if host.len() + 1 < rest.len() { "/…" } else { "" };
    format!("{scheme}{host}{path}")
}

/// Percent-decodes; `None` where that is not possible.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_give_is_understood() {
        for (text, shown, login, local) in [
            ("http://127.0.0.1:18443", "http://127.0.0.1:18443", None, true),
            ("HTTP://localhost/", "http://localhost:8332", None, true),
            ("http://[::1]:8332", "http://[::1]:8332", None, true),
            ("http://[2001:db8::1]", "http://[2001:db8::1]:8332", None, false),
            ("http://alice:p%40ss@node.example:80", "http://node.example:80", Some(("alice", "p@ss")), false),
            ("http://alice:p@ss@node:80/", "http://node:80", Some(("alice", "p@ss")), false),
        ] {
            let address = NodeAddress::parse(text).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), shown);
            assert_eq!(address.login(), login.map(|(user, password)| (user.to_owned(), password.to_owned())), "{text}");
            assert_eq!(address.is_local(), local);
        }
    }

    #[test]
    fn a_path_is_kept_and_not_shown() {
        let form = Form { port: 8545, has_path: true };
        for (text, shown, url) in [
            ("http://node", "http://node:8545", "http://node:8545/"),
            ("http://u:p@node:1/v2/KEY", "http://node:1", "http://node:1/v2/KEY"),
            ("http://[::1]/v2/KEY?a=b@c", "http://[::1]:8545", "http://[::1]:8545/v2/KEY?a=b@c"),
        ] {
            let address = NodeAddress::parse_as(text, form).unwrap();
            assert_eq!((address.to_string().as_str(), address.url().as_str()), (shown, url));
        }
        for text in ["http://no de/SECRET", "http://node/SECRET KEY", "ftp://node/SECRET", "http://node:0/SECRET"] {
            let said = NodeAddress::parse_as(text, form).unwrap_err().to_string();
            assert!(!said.contains("SECRET"), "{said}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for text in [
            "https://alice:secret@node:8332",
            "alice:secret@node:8332",
            "http://alice:secret@node:99999",
            "http://alice:secret@node:8332/wallet/x",
            "http://alice:secret%zz@node",
            "http://alice:secret@",
            "http://alice:secret@[::zz]:1",
            "ftp://alice:secret@node",
            "http://alice:secret@no de",
        ] {
            let said = NodeAddress::parse(text).unwrap_err().to_string();
            assert!(!said.contains("secret") && !said.contains("alice"), "{said}");
        }
    }
}
