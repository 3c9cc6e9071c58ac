//! Where a program stops and waits for the host, and what it is answered.

use serde_json::{Map, Value};

use super::PythonError;

/// The function of a [`Suspension::Call`] by which a program sleeps without holding up what it gathered.
pub const SLEEP: &str = "asyncio.sleep";

/// The function of a [`Suspension::Call`] by which a program sleeps for longer than a moment and does nothing else.
pub const TIME_SLEEP: &str = "time.sleep";

/// The function of a [`Suspension::Call`] by which a program changes a file about which somebody is to be asked.
pub const WRITE: &str = "file.write";

/// Where a program stands when the host has the word.
#[derive(Debug)]
pub enum Suspension {
    /// It calls a host function; go on with [`Session::answer`](super::Session::answer).
    Call {
        /// Its name in the host module.
        function: String,
        /// Positional arguments.
        args: Vec<Value>,
        /// Keyword arguments.
        kwargs: Map<String, Value>,
        /// Byte offset of the call in the source.
        offset: usize,
        /// The runtime's number for it.
        call_id: u32,
        /// Whether the call stands under an `await`, so that it can be answered with a promise.
        is_awaited: bool,
    },
    /// Everything that could go on waits for promises; go on with
    /// [`Session::keep_promises`](super::Session::keep_promises).
    Wait {
        /// The numbers of the calls.
        calls: Vec<u32>,
    },
    /// It ended with this value.
    Ended(Value),
    /// It raised, and nothing caught that.
    Raised {
        /// The exception.
        error: PythonError,
        /// The limit that it stands for, where the interpreter raised it because of one.
        limit: Option<Limit>,
    },
}

/// A limit that the interpreter itself watches, and that code sees as an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Its memory.
    Memory,
    /// The time of the run.
    Time,
    /// Operations on files and directories.
    FileCalls,
}

/// The answer to a [`Suspension::Call`].
#[derive(Debug, Clone)]
pub enum Reply {
    /// It returned a value.
    Value(Value),
    /// It returned an instance of a host class with these attributes.
    Instance {
        class: &'static str,
        /// The attributes.
        fields: Map<String, Value>,
    },
    /// It raised.
    Raise(PythonError),
    /// The interpreter is to do itself what it asked about: only for [`WRITE`].
    Proceed,
}
