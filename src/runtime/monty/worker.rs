//! The worker side: what this binary does when it is started as `repertoire subprocess`.
//!
//! It speaks Monty's protocol over stdin and stdout and does nothing else: no home, no database, no network.

use std::{io, panic, process::ExitCode, thread};

use monty_proto::{
    FrameError, FrameReader, pb,
    worker::{Child, EventSink, HandleOutcome, fatal_error_event, protocol_violation},
    write_frame,
};
use monty_types::memory_limit_with_headroom;

/// The first argument that makes the binary a worker; `monty-pool` passes it.
pub const ARGUMENT: &str = "subprocess";

/// The interpreter recurses on the native stack for nested values, up to 1,000 levels: this much is enough on every
/// platform. It is reserved, not committed.
const STACK_BYTES: usize = 16 * 1024 * 1024;

const EXIT_FATAL: u8 = 4;
const EXIT_PARENT_GONE: u8 = 3;
/// `EX_PROTOCOL` of BSD's `sysexits.h`.
const EXIT_PROTOCOL: u8 = 76;

/// Serves requests until stdin closes, on a thread with a stack of fixed size.
#[must_use]
pub fn run() -> ExitCode {
    end_with_the_parent();
    let server = thread::Builder::new().name("interpreter".to_owned()).stack_size(STACK_BYTES).spawn(serve);
    match server.map(thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) | Err(_) => ExitCode::from(101),
    }
}

/// A worker that computes does not read stdin, so it would not see that its server is gone.
#[cfg(unix)]
#[expect(clippy::exit, reason = "the interpreter may be in the middle of a computation that nothing else ends")]
fn end_with_the_parent() {
    let parent = std::os::unix::process::parent_id();
    let watch = move || {
        crate::launch::wait_until_gone(parent);
        std::process::exit(i32::from(EXIT_PARENT_GONE));
    };
    // Without the watch the worker still ends at its time limit or when it next reads.
    let _ = thread::Builder::new().name("parent-watch".to_owned()).spawn(watch);
}

#[cfg(not(unix))]
const fn end_with_the_parent() {}

fn serve() -> ExitCode {
    report_panics();
    let mut reader = FrameReader::new(io::stdin().lock());
    let mut child = Child::default();
    let mut sink = Stdout;
    loop {
        match reader.read::<pb::ParentRequest>() {
            Ok(Some(request)) => {
                let outcome = child.handle(request, &mut sink);
                // After every request, because each may have begun, replaced or ended the session that sets the limit.
                let budget = child.session_budget();
                let limit = memory_limit_with_headroom(budget.max_memory, budget.type_check);
                if monty_alloc::set_hard_limit(limit).is_err() {
                    return fatal(&child, &mut sink, "this program lacks the limiting allocator", EXIT_FATAL);
                }
                match outcome {
                    Ok(HandleOutcome::Continue) => {}
                    Ok(HandleOutcome::Shutdown) => return ExitCode::SUCCESS,
                    Ok(HandleOutcome::Fatal) => return ExitCode::from(EXIT_FATAL),
                    Err(FrameError::FrameTooLarge { len, max }) => {
                        let message = format!("a value of {len} bytes is larger than the {max} bytes of a message");
                        return fatal(&child, &mut sink, &message, EXIT_PROTOCOL);
                    }
                    Err(_) => return ExitCode::from(EXIT_PARENT_GONE),
                }
            }
            Ok(None) => return ExitCode::SUCCESS,
            // The frame was whole, so the next one can be read: answer and go on.
            Err(FrameError::Decode(error)) => {
                if sink.send(&protocol_violation(&format!("malformed request: {error}"))).is_err() {
                    return ExitCode::from(EXIT_PARENT_GONE);
                }
            }
            Err(error) => {
                return fatal(&child, &mut sink, &format!("malformed request frame: {error}"), EXIT_PROTOCOL);
            }
        }
    }
}

struct Stdout;

impl EventSink for Stdout {
    fn send(&mut self, event: &pb::ChildEvent) -> Result<(), FrameError> {
        write_frame(&mut io::stdout(), event)
    }
}

fn fatal(child: &Child, sink: &mut Stdout, message: &str, code: u8) -> ExitCode {
    // The parent may be gone; it then sees the exit code.
    let _ = sink.send(&child.fatal_event(message));
    ExitCode::from(code)
}

/// Tells the parent about a panic in a frame of its own, and keeps stderr, which belongs to the server's log, quiet.
fn report_panics() {
    panic::set_hook(Box::new(|info| {
        let _ = write_frame(&mut io::stdout(), &fatal_error_event(&format!("the interpreter panicked: {info}")));
    }));
}
