//! What code of the second runtime reaches by itself, without the host: programs that it starts, hosts that it connects to.
//!
//! Neither is a mistake there. The process is kept to what is granted; this says what that would have to be.

use ruff_python_ast::{Expr, ExprCall, StmtImport, StmtImportFrom};

use super::{needs::Needs, place::Place, urls};

/// Modules that do nothing but start programs.
const PROGRAMS: [&str; 6] = ["subprocess", "pty", "sh", "pexpect", "plumbum", "invoke"];
/// Modules that connect to others. Of `http` and `urllib` only a part does.
const NETWORK: [&str; 24] = [
    "socket",
    "ssl",
    "socketserver",
    "http.client",
    "http.server",
    "urllib.request",
    "urllib3",
    "requests",
    "httpx",
    "aiohttp",
    "httplib2",
    "websocket",
    "websockets",
    "ftplib",
    "smtplib",
    "poplib",
    "imaplib",
    "xmlrpc",
    "paramiko",
    "grpc",
    "boto3",
    "zmq",
    "pycurl",
    "asyncssh",
];
/// Functions of `os` that start programs.
const OF_OS: [&str; 4] = ["system", "popen", "exec", "spawn"];

/// `import a, b`.
pub fn import(import: &StmtImport, needs: &mut Needs) {
    import.names.iter().for_each(|alias| module(alias.name.as_str(), needs));
}

/// `from a import b, c`.
pub fn import_from(import: &StmtImportFrom, needs: &mut Needs) {
    let Some(from) = import.module.as_ref().map(|from| from.as_str()) else { return };
    module(from, needs);
    import.names.iter().for_each(|alias| module(&format!("{from}.{}", alias.name), needs));
}

fn module(path: &str, needs: &mut Needs) {
    let is_of = |module: &&str| path.strip_prefix(*module).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if NETWORK.iter().any(is_of) {
        needs.any_host();
    }
    if PROGRAMS.iter().any(is_of) {
        needs.any_program();
    }
}

/// A call; `meanings` are those of what it calls.
pub fn call(call: &ExprCall, meanings: &[String], place: &Place<'_, '_>, needs: &mut Needs) {
    for meaning in meanings {
        let root = meaning.split('.').next().unwrap_or_default();
        let of_os = meaning.strip_prefix("os.").is_some_and(|name| OF_OS.iter().any(|start| name.starts_with(start)));
        if root == "subprocess" {
            program(call, place, needs);
        } else if of_os {
            needs.any_program();
        } else if matches!(root, "requests" | "httpx" | "urllib" | "urllib3" | "aiohttp") {
            host(call, place, needs);
        }
    }
}

/// A program that is named by a constant.
fn program(call: &ExprCall, place: &Place<'_, '_>, needs: &mut Needs) {
    let Some(Expr::List(list)) = call.arguments.find_argument_value("args", 0).map(|args| place.value(args)) else {
        return;
    };
    let words: Vec<String> = list.elts.iter().map_while(|word| place.text(word)).collect();
    if let Some(name) = words.first() {
        needs.inner_program(name, words.get(1).map(String::as_str));
    }
}

/// A host that is named by a constant.
fn host(call: &ExprCall, place: &Place<'_, '_>, needs: &mut Needs) {
    let addresses = [call.arguments.find_argument_value("url", 0), call.arguments.find_argument_value("url", 1)];
    for address in addresses.into_iter().flatten() {
        if let Some(target) = urls::target(place.scopes(), address, place.scope()) {
            needs.inner_host(&target.grant);
        }
    }
}
