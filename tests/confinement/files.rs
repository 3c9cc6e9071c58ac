//! After files: of others, of the system, and through names that lead elsewhere.

use Layer::{Calls, Files, Landlock, Privileges, Processes, User};
use repertoire::confinement::Layer;

use super::attacks::{attack, make};

const FILES: &[Layer] = &[Files, Landlock];
const NAMED: &[Layer] = &[Landlock, Calls];

#[test]
fn nothing_is_written_outside() {
    make(&[
        attack("a new file", FILES, "open('{O}/new', 'w').write('pwned')").seen_in("{O}/new"),
        attack("an old file", FILES, "open('{O}/notes.txt', 'a').write('pwned')").seen_in("{O}/notes.txt"),
        attack("what is only to be read", FILES, "open('{R}/given.txt', 'a').write('pwned')").seen_in("{R}/given.txt"),
        attack("the policy", FILES, "open('{H}/config.toml', 'a').write('# pwned')").seen_in("{H}/config.toml"),
        attack(
            "the policy, by git",
            FILES,
            "#!echo BEGUN; git -C '{W}' log -1 --format='format:# pwned' --output='{H}/config.toml'",
        )
        .seen_in("{H}/config.toml"),
        attack("the folder above", FILES, "open('{W}/../outside/up', 'w').write('pwned')").seen_in("{O}/up"),
        attack("shell start files", FILES, "open('{U}/.bashrc', 'w').write('pwned')").seen_in("{U}/.bashrc"),
        attack("truncated", FILES, "os.truncate('{O}/notes.txt', 0); escaped()").alone_by(NAMED),
        attack("made a folder", FILES, "os.mkdir('{O}/folder'); escaped()"),
        attack("removed", FILES, "os.unlink('{O}/notes.txt'); escaped()"),
        attack("with other rights", FILES, "os.chmod('{O}/notes.txt', 0o777); escaped()").alone_by(&[Calls]),
        attack("with another time", FILES, "os.utime('{O}/notes.txt', (0, 0)); escaped()").alone_by(&[Calls]),
    ]);
}

#[test]
fn nothing_is_read_that_was_not_granted() {
    make(&[
        attack("keys", FILES, "print('ESCAPED' if 's3cr3t' in open('{U}/.ssh/id_ed25519').read() else '')"),
        attack("the data home", FILES, "print('ESCAPED', os.listdir('{H}'))"),
        attack("another project", FILES, "print('ESCAPED' if 's3cr3t' in open('{O}/notes.txt').read() else '')"),
        attack("who else is there", FILES, "print('ESCAPED', os.listdir('{O}'))"),
        attack("passwords", FILES, "print('ESCAPED', len(open('/etc/shadow').read()))").of_root(),
        attack("a copy by the shell", FILES, "#!echo BEGUN; cat '{O}/notes.txt' > '{W}/stolen' && echo ESCAPED"),
    ]);
}

#[test]
fn names_lead_nowhere_else() {
    make(&[
        attack("a symbolic link", FILES, "os.symlink('{O}', '{W}/l'); open('{W}/l/x', 'w').write('pwned')")
            .seen_in("{O}/x"),
        attack("a link to a file", FILES, "os.symlink('{O}/notes.txt', '{W}/n'); open('{W}/n', 'a').write('pwned')")
            .seen_in("{O}/notes.txt"),
        attack("a hard link", FILES, "os.link('{O}/notes.txt', '{W}/n'); open('{W}/n', 'a').write('pwned')")
            .seen_in("{O}/notes.txt"),
        attack("moved out", FILES, "os.rename('{W}/plain', '{O}/plain'); escaped()"),
        attack("moved in", FILES, "os.rename('{O}/notes.txt', '{W}/notes.txt'); escaped()"),
        attack(
            "a race of links",
            FILES,
            "
import threading
os.makedirs('{W}/real')
os.symlink('{W}/real', '{W}/raced')
def swap():
    for _ in range(200):
        for target in ('{O}', '{W}/real'):
            os.symlink(target, '{W}/next')
            os.rename('{W}/next', '{W}/raced')
            time.sleep(0.001)
thread = threading.Thread(target=swap)
thread.start()
while thread.is_alive():
    try:
        open('{W}/raced/won', 'w').write('pwned')
    except OSError:
        pass
",
        )
        .seen_in("{O}/won"),
        attack(
            "a race of folders",
            FILES,
            "
import threading
os.makedirs('{W}/a/deep')
def swap():
    for _ in range(200):
        os.rename('{W}/a', '{W}/b')
        os.symlink('{U}', '{W}/a')
        time.sleep(0.001)
        os.unlink('{W}/a')
        os.rename('{W}/b', '{W}/a')
thread = threading.Thread(target=swap)
thread.start()
while thread.is_alive():
    try:
        open('{W}/a/outside/won', 'w').write('pwned')
    except OSError:
        pass
",
        )
        .seen_in("{O}/won"),
        attack(
            "an open folder, moved",
            FILES,
            "
folder = os.open('{W}/plain', os.O_RDONLY)
os.rename('{W}/plain', '{W}/sub/plain')
open(f'/proc/self/fd/{folder}/../../../outside/x', 'w').write('pwned')
",
        )
        .seen_in("{O}/x"),
    ]);
}

#[test]
fn the_system_stays_as_it_is() {
    make(&[
        attack("where cores go", FILES, "os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY); escaped()").of_root(),
        attack("memory of the kernel", FILES, "os.open('/proc/sys/vm/drop_caches', os.O_WRONLY); escaped()").of_root(),
        attack(
            "kernel settings",
            FILES,
            "os.open('/sys/kernel/mm/transparent_hugepage/enabled', os.O_WRONLY); escaped()",
        )
        .of_root(),
        attack("programs of the system", FILES, "os.open('/usr/bin/env', os.O_WRONLY | os.O_APPEND); escaped()")
            .of_root(),
        attack("who there is", FILES, "os.open('/etc/passwd', os.O_WRONLY | os.O_APPEND); escaped()").of_root(),
        attack(
            "a device of its own",
            &[User, Files, Landlock, Calls, Privileges],
            "os.mknod('{W}/null', 0o20666, os.makedev(1, 3)); escaped()",
        )
        .of_root(),
        attack(
            "devices of the system",
            &[Files, Landlock, Privileges],
            "
for device in ('kmsg', 'fuse', 'loop-control', 'mem', 'sda', 'vda'):
    try:
        os.open('/dev/' + device, os.O_RDONLY)
        escaped(device)
    except OSError as error:
        print(error)
",
        )
        .of_root(),
        attack(
            "a group of control",
            FILES,
            "
for folder, _, files in os.walk('/sys/fs/cgroup'):
    if 'cgroup.procs' in files:
        os.open(folder + '/cgroup.procs', os.O_WRONLY)
        escaped()
        break
",
        )
        .of_root(),
        attack(
            "files by way of the server",
            &[Files, Processes, Landlock, Privileges, User],
            "open('/proc/{S}/root{O}/x', 'w').write('pwned')",
        )
        .seen_in("{O}/x"),
    ]);
}
