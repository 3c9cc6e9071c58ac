//! Making attacks: what one is, and how it is seen to get out.

use std::fs;

use repertoire::confinement::{Layer, Means};

use super::yard::{PWNED, PYTHON, Yard};
use crate::common::walls::has_walls;

/// The walls that there are without namespaces.
const ALONE: [Layer; 5] = [Layer::Closed, Layer::Privileges, Layer::Landlock, Layer::Calls, Layer::Limits];

/// What every attack in Python begins with. It says that it has begun, so that none is stopped by a mistake in it; a call gets
/// out when the system did more than refuse it.
const PRELUDE: &str = "
import ctypes, errno, os, signal, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def escaped(*what):
    print('ESCAPED', *what, flush=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *arguments)
    failed = ctypes.get_errno() if result < 0 else 0
    print('call', number, result, failed)
    if failed not in (errno.EPERM, errno.EACCES):
        escaped(number, result, failed)
    return result
print('BEGUN', flush=True)
try:
    exec(sys.argv[1])
except (OSError, MemoryError) as error:
    print(type(error).__name__, error, flush=True)
";

/// How an attack is seen to have got out.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// It says so.
    Said,
    /// A file outside has [`PWNED`] in it.
    In(&'static str),
}

/// A program that turned bad.
pub struct Attack {
    name: &'static str,
    /// Python, or a script for a shell where it begins with `#!`.
    code: &'static str,
    seen: Seen,
    /// The walls that hold it: without all of them it gets out.
    held_by: &'static [Layer],
    /// Whether it gets out without them only where root does it.
    of_root: bool,
    alone: Alone,
}

/// What an attack meets where there are no namespaces.
#[derive(Debug, Clone, Copy)]
enum Alone {
    /// Those of the walls above that are there.
    Same,
    /// These.
    By(&'static [Layer]),
    /// It is not shown to get out: it would change the machine.
    Held,
    /// There is nothing to attack, or docs/policy.md says that it gets out.
    None,
}

pub const fn attack(name: &'static str, held_by: &'static [Layer], code: &'static str) -> Attack {
    Attack { name, code, seen: Seen::Said, held_by, of_root: false, alone: Alone::Same }
}

impl Attack {
    pub const fn seen_in(self, path: &'static str) -> Self {
        Self { seen: Seen::In(path), ..self }
    }

    pub const fn of_root(self) -> Self {
        Self { of_root: true, ..self }
    }

    /// Without namespaces these walls hold it.
    pub const fn alone_by(self, layers: &'static [Layer]) -> Self {
        Self { alone: Alone::By(layers), ..self }
    }

    pub const fn alone_never_let_out(self) -> Self {
        Self { alone: Alone::Held, ..self }
    }

    pub const fn not_alone(self) -> Self {
        Self { alone: Alone::None, ..self }
    }

    /// The walls that are left out to see it get out; `None` where that is not tried.
    fn left_out(&self, means: Means) -> Option<Vec<Layer>> {
        match (means, self.alone) {
            (Means::Namespaces, _) => Some(self.held_by.to_vec()),
            (Means::Landlock, Alone::Same) => {
                Some(self.held_by.iter().copied().filter(|layer| ALONE.contains(layer)).collect())
            }
            (Means::Landlock, Alone::By(layers)) => Some(layers.to_vec()),
            (Means::Landlock, Alone::Held | Alone::None) => None,
        }
    }

    fn command(&self) -> Vec<&str> {
        match self.code.strip_prefix("#!") {
            Some(script) => vec!["sh", "-c", script],
            None => vec![PYTHON, "-c", PRELUDE, self.code],
        }
    }

    fn got_out(&self, yard: &Yard, output: &str) -> bool {
        match self.seen {
            Seen::Said => output.contains("ESCAPED"),
            Seen::In(path) => fs::read_to_string(yard.path(path)).is_ok_and(|text| text.contains(PWNED)),
        }
    }
}

/// Makes each attack, first against all walls, then without those that hold it; and the same where there are no namespaces.
pub fn make(attacks: &[Attack]) {
    if !has_walls() {
        return;
    }
    make_on(Means::Namespaces, attacks);
    make_alone(attacks);
}

/// The same only where there are no namespaces.
pub fn make_alone(attacks: &[Attack]) {
    make_on(Means::Landlock, attacks);
}

fn make_on(means: Means, attacks: &[Attack]) {
    let is_root = rustix::process::geteuid().is_root();
    let Some(mut yard) = Yard::on(means) else { return };
    let made = attacks.iter().filter(|attack| means == Means::Namespaces || !matches!(attack.alone, Alone::None));
    let wrong: Vec<String> = made.filter_map(|attack| tried(attack, &mut yard, means, is_root).err()).collect();
    assert!(wrong.is_empty(), "{means:?}: {} of {}:\n{}", wrong.len(), attacks.len(), wrong.join("\n"));
}

fn tried(attack: &Attack, yard: &mut Yard, means: Means, is_root: bool) -> Result<(), String> {
    let name = attack.name;
    yard.reset();
    let answer = yard.by_server(&attack.command());
    let (output, error) = (answer["result"]["stdout"].as_str(), answer["error"].as_str());
    if attack.got_out(yard, output.unwrap_or_default()) {
        return Err(format!("{name}: it got out: {answer}"));
    }
    // What it printed is not seen where it is stopped, or left something.
    let ended_badly = error.is_some_and(|error| error.contains("set aside") || error.contains("was stopped: it"));
    if !ended_badly && output.is_none_or(|output| !output.contains("BEGUN")) {
        return Err(format!("{name}: it never began: {answer}"));
    }
    if answer["result"]["stderr"]
        .as_str()
        .is_some_and(|said| said.contains("SyntaxError") || said.contains("NameError"))
    {
        return Err(format!("{name}: it is wrong: {answer}"));
    }
    let Some(left_out) = attack.left_out(means).filter(|_| is_root || !attack.of_root) else { return Ok(()) };
    yard.reset();
    let output = yard.by_stage(&attack.command(), &left_out);
    if !attack.got_out(yard, &output) {
        return Err(format!("{name}: it does not get out either way: {output}\n  (by the server: {answer})"));
    }
    Ok(())
}
