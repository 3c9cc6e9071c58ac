//! A pseudo-terminal: the program as a person has it who sits at one.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::pty::{OpenptyResult, Winsize, openpty};
use textwrap::core::display_width;

use super::PATIENCE;

const END_OF_INPUT: &[u8] = &[4];

/// A program in a terminal of its own.
pub struct Terminal {
    child: Child,
    keys: File,
    screen: Arc<Mutex<Vec<u8>>>,
    /// Reads what is shown until nobody is left who could show anything.
    reader: Option<JoinHandle<()>>,
    /// How much of what is shown was waited for.
    seen: usize,
    columns: u16,
}

impl Terminal {
    /// Starts a program in a terminal with so many columns.
    pub fn start(mut command: Command, columns: u16) -> Self {
        let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(&size, None).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        command.env("TERM", "xterm-256color").stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().unwrap();
        // Where nobody has the program's end of it any more, reading ends.
        drop((command, slave));
        let keys = File::from(master);
        let (mut shown, screen) = (keys.try_clone().unwrap(), Arc::<Mutex<Vec<u8>>>::default());
        let written = Arc::clone(&screen);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = shown.read(&mut buffer)
                && count > 0
            {
                written.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { child, keys, screen, reader: Some(reader), seen: 0, columns }
    }

    /// All that was shown so far, as it was written.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// The same without colours.
    pub fn plain(&self) -> String {
        anstream::adapter::strip_str(&self.raw()).to_string().replace("\r\n", "\n")
    }

    /// Waits until this is shown, after what was waited for before; gives all that was shown in between.
    #[track_caller]
    pub fn expect(&mut self, wanted: &str) -> String {
        let started = Instant::now();
        loop {
            let plain = self.plain();
            if let Some(at) = plain[self.seen..].find(wanted) {
                let from = self.seen;
                self.seen += at + wanted.len();
                return plain[from..self.seen].to_owned();
            }
            assert!(started.elapsed() < PATIENCE, "never shown: {wanted:?}; what was:\n{plain}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until one of two texts is shown; whether it is the first.
    #[track_caller]
    pub fn expect_either(&mut self, first: &str, second: &str) -> bool {
        let started = Instant::now();
        loop {
            let plain = self.plain();
            for (wanted, is_first) in [(first, true), (second, false)] {
                if let Some(at) = plain[self.seen..].find(wanted) {
                    self.seen += at + wanted.len();
                    return is_first;
                }
            }
            assert!(started.elapsed() < PATIENCE, "neither {first:?} nor {second:?} is shown:\n{plain}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types a line.
    pub fn enter(&mut self, line: &str) {
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Ends the input, as Ctrl-D does.
    pub fn end_input(&mut self) {
        self.keys.write_all(END_OF_INPUT).unwrap();
    }

    /// Waits until the program ends; gives all that was shown.
    #[track_caller]
    pub fn end(mut self) -> (ExitStatus, String) {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < PATIENCE, "it never ended:\n{}", self.plain());
            thread::sleep(Duration::from_millis(5));
        };
        // What it wrote last may still be on its way.
        self.reader.take().into_iter().for_each(|reader| reader.join().unwrap());
        (status, self.plain())
    }

    /// The same; no line may be longer than the terminal.
    #[track_caller]
    pub fn end_fitting(self) -> (ExitStatus, String) {
        let columns = usize::from(self.columns);
        let (status, shown) = self.end();
        for line in shown.lines() {
            assert!(display_width(line) <= columns, "{columns} columns: {line:?}\n{shown}");
        }
        (status, shown)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
