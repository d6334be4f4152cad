//! [`Login`]: what a node's RPC is told about who asks: a user's password, a token, or the cookie that a Bitcoin node
//! writes anew whenever it starts. None is ever printed.
//!
//! Sources: `init.cpp` and `rpc/request.cpp` of Bitcoin Core 29 for the cookie's name and the data folders.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::address::NodeAddress;
use super::http::Dialect;

/// The cookie's name in the node's data folder.
const COOKIE: &str = ".cookie";
/// A cookie is a user name and 64 digits.
const COOKIE_BYTES_MAX: u64 = 1024;
/// Which folder inside a data folder belongs to which RPC port. Source: `chainparamsbase.cpp`.
const FOLDERS: [(u16, &str); 5] =
    [(8332, ""), (18332, "testnet3"), (48332, "testnet4"), (38332, "signet"), (18443, "regtest")];

/// How to prove who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// A user and a password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that a provider or a proxy gave out, such as a JWT.
    Bearer(String),
    /// The file that the node writes when it starts.
    Cookie(PathBuf),
    /// Nothing is known; some proxies need nothing.
    Nothing,
}

impl Login {
    /// The login of an address: what stands in it; else, for a node on this machine, the cookie in the usual folder.
    pub fn of(address: &NodeAddress) -> Self {
        if let Some((user, password)) = address.login() {
            return Self::Password { user, password };
        }
        if !address.is_local() {
            return Self::Nothing;
        }
        let folder = FOLDERS.iter().find(|(port, _)| *port == address.port()).map(|(_, folder)| *folder);
        let cookies = data_folders().into_iter().zip(std::iter::repeat(folder));
        let mut cookies = cookies.filter_map(|(data, folder)| Some(data.join(folder?).join(COOKIE)));
        // One that is not there yet is written when the node starts.
        cookies.next().map_or(Self::Nothing, Self::Cookie)
    }

    /// What stands in an address, and nothing else.
    pub fn stated(address: &NodeAddress) -> Self {
        address.login().map_or(Self::Nothing, |(user, password)| Self::Password { user, password })
    }

    /// The value of the `Authorization` header; `None` where there is nothing to say.
    pub(crate) fn header(&self) -> Result<Option<String>, String> {
        let said = match self {
            Self::Nothing => return Ok(None),
            Self::Password { user, password } => format!("{user}:{password}"),
            Self::Bearer(token) => return Ok(Some(format!("Bearer {token}"))),
            Self::Cookie(path) => read_cookie(path)?,
        };
        Ok(Some(format!("Basic {}", STANDARD.encode(said))))
    }

    /// What to do when the node does not accept it.
    pub(crate) fn advice(&self, dialect: &Dialect) -> String {
        match self {
            Self::Password { user, .. } => {
                format!("the node does not accept user {user:?} with this password{}", dialect.users)
            }
            Self::Bearer(_) => "the node does not accept the token".to_owned(),
            Self::Cookie(path) => format!(
                "the node does not accept the cookie in {}; name the one in its data folder with --rpc-cookie",
                path.display()
            ),
            Self::Nothing => format!("the node wants a login; {}", dialect.login),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => write!(f, "Password({user:?}, …)"),
            Self::Bearer(_) => write!(f, "Bearer(…)"),
            Self::Cookie(path) => write!(f, "Cookie({})", path.display()),
            Self::Nothing => write!(f, "Nothing"),
        }
    }
}

fn read_cookie(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| {
        format!(
            "its cookie {} cannot be read: {error}; is the node running, and is this its data folder?",
            path.display()
        )
    };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(COOKIE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.contains(':') && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(format!("{} is no cookie of a node", path.display()))
    }
}

/// Where Bitcoin's data lies by default on this system.
fn data_folders() -> Vec<PathBuf> {
    let home = std::env::home_dir();
    if cfg!(windows) {
        let local = std::env::var_os("LOCALAPPDATA").map(PathBuf::from);
        let roaming = std::env::var_os("APPDATA").map(PathBuf::from);
        let folders = [roaming, local].into_iter().flatten().map(|folder| folder.join("Bitcoin"));
        let (there, rest): (Vec<_>, Vec<_>) = folders.partition(|folder| folder.is_dir());
        return there.into_iter().chain(rest).collect();
    }
    let name = if cfg!(target_os = "macos") { "Library/Application Support/Bitcoin" } else { ".bitcoin" };
    home.map(|home| home.join(name)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_go_into_the_header_and_nowhere_else() {
        let login = Login::of(&NodeAddress::parse("http://alice:secret@node:1").unwrap());
        assert_eq!(login.header(), Ok(Some("Basic YWxpY2U6c2VjcmV0".to_owned())));
        assert!(!format!("{login:?} {}", login.advice(&crate::node::BITCOIN)).contains("secret"));
    }

    #[test]
    fn a_cookie_is_read_each_time_and_only_for_a_node_on_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(COOKIE);
        let login = Login::Cookie(path.clone());
        assert!(login.header().unwrap_err().contains("cannot be read"));
        std::fs::write(&path, "__cookie__:00ff\n").unwrap();
        assert_eq!(login.header(), Ok(Some(format!("Basic {}", STANDARD.encode("__cookie__:00ff")))));
        std::fs::write(&path, "__cookie__:11\n").unwrap();
        assert_eq!(login.header(), Ok(Some(format!("Basic {}", STANDARD.encode("__cookie__:11")))));
        std::fs::write(&path, "nothing").unwrap();
        assert!(login.header().unwrap_err().contains("is no cookie"));
        assert_eq!(Login::of(&NodeAddress::parse("http://192.0.2.1:8332").unwrap()), Login::Nothing);
        if let Login::Cookie(path) = Login::of(&NodeAddress::parse("http://127.0.0.1:18443").unwrap()) {
            assert!(path.ends_with("regtest/.cookie"), "{}", path.display());
        }
    }
}
