//! A program that is run to its end for what it prints.

use std::{ffi::OsStr, io, process::Stdio};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};

use crate::launch;

/// How much of each stream is read.
const MOST_SAID: u64 = 8 * 1024 * 1024;

/// How it ended.
pub struct Output {
    pub succeeded: bool,
    pub stdout: String,
    pub stderr: String,
}

/// Runs it; it reads `stdin`.
///
/// # Errors
/// What the system says, also that there is no such program.
pub async fn output<A: AsRef<OsStr>>(
    program: &OsStr,
    arguments: impl IntoIterator<Item = A>,
    stdin: &str,
    prepare: impl FnOnce(&mut Command),
) -> io::Result<Output> {
    let mut launched = launch::launch(program, arguments, |command| {
        prepare(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    })?;
    let (input, stdout, stderr) = (launched.stdin(), launched.stdout(), launched.stderr());
    let (mut said, mut complaint) = (Vec::new(), Vec::new());
    let feed = async {
        if let Some(mut input) = input {
            // It may end without reading all of it.
            let _ = input.write_all(stdin.as_bytes()).await;
        }
    };
    let listen = async {
        match stdout {
            Some(stdout) => stdout.take(MOST_SAID).read_to_end(&mut said).await.map(drop),
            None => Ok(()),
        }
    };
    let hear = async {
        match stderr {
            Some(stderr) => stderr.take(MOST_SAID).read_to_end(&mut complaint).await.map(drop),
            None => Ok(()),
        }
    };
    let ((), listened, heard, status) = tokio::join!(feed, listen, hear, launched.wait());
    listened.and(heard)?;
    let status = status?;
    let (stdout, stderr) =
        (String::from_utf8_lossy(&said).into_owned(), String::from_utf8_lossy(&complaint).into_owned());
    match launch::not_started(status, &stderr) {
        Some(error) => Err(error),
        None => Ok(Output { succeeded: status.success(), stdout, stderr }),
    }
}
