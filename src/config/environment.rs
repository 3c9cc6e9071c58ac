//! What programs that this one starts get of its environment.

use std::ffi::OsString;

/// Where to find things, and the language; nothing that could be a secret.
const PASSED_ON: [&str; 17] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SystemRoot",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "GOPATH",
];

/// The variables that every program gets, as they are now.
pub fn clean_environment() -> impl Iterator<Item = (&'static str, OsString)> {
    PASSED_ON.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// Beside that, what says where packages come from and how the network is reached.
const FOR_PACKAGES: [&str; 12] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
];
/// How the settings of `uv` begin.
const SETTINGS_OF_UV: &str = "UV_";

/// The variables that the program gets which looks for packages, as they are now. None of them goes to packages or code.
pub fn resolver_environment() -> impl Iterator<Item = (OsString, OsString)> {
    let is_meant = |name: &OsString| {
        name.to_str().is_some_and(|name| {
            name.starts_with(SETTINGS_OF_UV) || FOR_PACKAGES.contains(&name) || PASSED_ON.contains(&name)
        })
    };
    std::env::vars_os().filter(move |(name, _)| is_meant(name))
}

/// The command line of the user's editor, where they named one.
pub fn editor() -> Option<String> {
    let named = |name| std::env::var_os(name)?.into_string().ok().filter(|line| !line.trim().is_empty());
    named("VISUAL").or_else(|| named("EDITOR"))
}
