//! HTTPS through the proxy of a granted program: from end to end, with a server and a client that know nothing of us.
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::common::{Home, clean, downstream::python, has_program, remember, text, toml_path, walls::has_walls};

/// Serves HTTPS with the certificate of the folder, and says at which port.
const SERVER: &str = "
import http.server, ssl, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ('spoken in ' + self.connection.version()).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.HTTPServer(('127.0.0.1', 0), Answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + '/certificate.pem', sys.argv[1] + '/key.pem')
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
";

const WORK: &str = "from repertoire import run_command\n\ndef work(command: list) -> dict:\n    \"\"\"Work.\"\"\"\n    \
                    done = run_command(command, check=False, timeout=60.0)\n    \
                    return {'code': done.exit_code, 'stdout': done.stdout, 'stderr': done.stderr}\n";

/// A server that ends with its test.
struct Server {
    process: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(folder: &Path) -> Option<Server> {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let mut openssl = clean(Command::new("openssl"));
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout"]).arg(&key);
    let made = openssl.arg("-out").arg(&certificate).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut python = clean(Command::new(python()?));
    let mut process = python.args(["-c", SERVER]).arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Some(Server { process, port: line.trim().parse().unwrap() })
}

#[test]
fn https_is_spoken_from_end_to_end() {
    if !has_walls() || !has_program("curl") || !has_program("openssl") {
        return;
    }
    let home = Home::new();
    let folder = home.beside("server");
    let Some(server) = serve(&folder) else { return };
    let port = server.port;
    // The key is the server's alone.
    let trusted = home.beside("trusted").join("certificate.pem");
    fs::copy(folder.join("certificate.pem"), &trusted).unwrap();
    home.configure(&format!(
        "[policy]\ncommands = [{{ run = 'curl', network = ['localhost:{port}'], read = [{}] }}]\n",
        toml_path(&trusted)
    ));
    let mut client = home.start();
    remember(&mut client, "work", WORK);
    let trust = trusted.display().to_string();
    let mut curl = |arguments: &[&str]| -> Value {
        let command = [&["curl", "-sS", "--max-time", "50"], arguments].concat();
        let parameters = json!({"command": command});
        client.ok("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}))["result"].clone()
    };
    let url = format!("https://localhost:{port}/");
    let answer = curl(&["--cacert", &trust, &url]);
    assert!(text(&answer, "stdout").starts_with("spoken in TLSv1"), "{answer}");
    // Nobody in between could answer for the server.
    assert_eq!(curl(&[&url])["code"], json!(60), "a certificate that nobody trusts");
    let refused = curl(&["--cacert", &trust, "https://example.org/"]);
    assert_eq!(refused["code"], json!(56), "{refused}");
    assert!(text(&refused, "stderr").contains("the host `example.org:443` is not granted to `curl`"), "{refused}");
    assert_ne!(curl(&["--noproxy", "*", "--cacert", &trust, &url])["code"], json!(0), "past the proxy");
}
