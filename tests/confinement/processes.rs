//! After other processes, more rights, and all that the machine has.

use Layer::{Calls, Files, Landlock, Limits, Privileges, Processes, User};
use repertoire::confinement::Layer;

use super::attacks::{attack, make};

const SEEN: &[Layer] = &[Files, Processes, Landlock];
const TOUCHED: &[Layer] = &[User, Files, Processes, Landlock, Calls, Privileges];

#[test]
fn other_processes_are_out_of_reach() {
    make(&[
        attack("a signal for the server", &[Processes, Landlock], "os.kill({S}, 0); escaped()"),
        attack("the server's memory", TOUCHED, "open('/proc/{S}/mem', 'rb'); escaped()"),
        attack("the server's environment", TOUCHED, "open('/proc/{S}/environ', 'rb').read(); escaped()"),
        attack("the server's files", TOUCHED, "print('ESCAPED', os.listdir('/proc/{S}/fd'))"),
        attack("the server's folder", TOUCHED, "print('ESCAPED', os.readlink('/proc/{S}/cwd'))"),
        attack("the server's arguments", SEEN, "print('ESCAPED', open('/proc/{S}/cmdline').read())"),
        attack("what the first process was told", &[Privileges], "open('/proc/1/environ', 'rb').read(); escaped()")
            .not_alone(),
        attack("the memory of the first process", &[Privileges], "open('/proc/1/mem', 'rb'); escaped()").not_alone(),
        attack(
            "its open files, one of which says how it ended",
            &[Privileges],
            "
for name in os.listdir('/proc/1/fd'):
    try:
        os.open('/proc/1/fd/' + name, os.O_WRONLY)
        escaped(name)
    except OSError as error:
        print(error)
",
        )
        .not_alone(),
        attack(
            "in its name",
            &[Processes, Landlock],
            "
os.kill(os.getppid(), 0) if os.getppid() != 1 else sys.exit(1)
escaped()
",
        ),
    ]);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn other_processes_are_not_looked_into() {
    make(&[
        attack("tracing the server", TOUCHED, "call(101, 0x4206, {S}, 0, 0)"),
        attack("being traced", &[Calls], "call(101, 0, 0, 0, 0)"),
        attack(
            "the memory of others by a call",
            &[Calls],
            "
text = ctypes.create_string_buffer(b'x' * 8)
class Vector(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]
vector = Vector(ctypes.addressof(text), 8)
call(310, os.getpid(), ctypes.byref(vector), 1, ctypes.byref(vector), 1, 0)
",
        ),
    ]);
}

#[test]
fn no_rights_are_won() {
    make(&[
        attack("capabilities", &[Privileges], "
status = open('/proc/self/status').read()
held = [line for line in status.splitlines() if line.startswith(('CapEff', 'CapPrm', 'CapAmb', 'CapBnd')) and int(line.split()[1], 16)]
print('ESCAPED' if held else 'none', held)
"),
        attack("new privileges", &[Privileges, Landlock, Calls], "
value = libc.prctl(39, 0, 0, 0, 0)
print('ESCAPED' if value == 0 else 'none', value)
"),
        attack("another user", &[User, Privileges], "os.setuid(12345); escaped()").of_root(),
        attack("another group", &[User, Privileges], "os.setgroups([4]); escaped()").of_root(),
        attack("another owner of a file", &[User, Privileges, Landlock], "os.chown('{W}/plain', 4, 4); escaped()")
            .of_root()
            .alone_by(&[Privileges, Landlock, Calls]),
        attack("a higher place", &[User, Privileges], "os.nice(-5); escaped()").of_root(),
    ]);
}

#[test]
fn no_more_is_used_than_may_be() {
    make(&[
        attack(
            "memory of one process",
            &[Limits],
            "
block = bytearray(600 * 1024 * 1024)
escaped(len(block))
",
        ),
        attack(
            "memory of many processes",
            &[Limits],
            "
reading, writing = os.pipe()
for _ in range(6):
    if os.fork() == 0:
        block = b'x' * (120 * 1024 * 1024)
        os.write(writing, b'x')
        time.sleep(600)
for _ in range(6):
    os.read(reading, 1)
time.sleep(3)
escaped()
os.kill(0, signal.SIGKILL)
",
        ),
        attack(
            "processes",
            &[Limits],
            "
made = []
try:
    for _ in range(500):
        made.append(os.fork())
        if made[-1] == 0:
            time.sleep(600)
    escaped(len(made))
finally:
    for process in made:
        os.kill(process, signal.SIGKILL)
",
        ),
        attack(
            "a large file",
            &[Limits],
            "
with open('{W}/large', 'wb') as file:
    file.truncate(10 * 1024 ** 3)
escaped()
",
        ),
        attack(
            "a large file in the folder for temporary ones",
            &[Limits],
            "
import tempfile
with tempfile.TemporaryFile() as file:
    file.truncate(10 * 1024 ** 3)
escaped()
",
        ),
        attack(
            "a core",
            &[Limits],
            "
import resource
resource.setrlimit(resource.RLIMIT_CORE, (1024, 1024))
escaped()
",
        ),
    ]);
}
