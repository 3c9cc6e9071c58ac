//! After what other programs execute later, in a folder that may be written.

use repertoire::confinement::Layer;

use super::attacks::{Attack, attack, make};

const CLOSED: &[Layer] = &[Layer::Closed];

const fn on(path: &'static str, name: &'static str, code: &'static str) -> Attack {
    attack(name, CLOSED, code).seen_in(path)
}

#[test]
fn what_is_there_stays_as_it_is() {
    make(&[
        on("{W}/.git/config", "git's settings", "open('{W}/.git/config', 'a').write('[core]\\nfsmonitor = pwned')"),
        on("{W}/.git/config", "the same, by git", "#!echo BEGUN; git -C '{W}' config core.fsmonitor pwned")
            .alone_by(&[Layer::Closed, Layer::Calls]),
        on("{W}/.git/hooks/pre-commit", "a hook", "open('{W}/.git/hooks/pre-commit', 'w').write('pwned')"),
        on(
            "{W}/.git/config",
            "moved over",
            "open('{W}/c', 'w').write('pwned'); os.replace('{W}/c', '{W}/.git/config')",
        ),
        on(
            "{W}/.git/config",
            "removed and made again",
            "os.unlink('{W}/.git/config'); open('{W}/.git/config', 'w').write('pwned')",
        ),
        on(
            "{W}/.git/config",
            "the whole of git's folder",
            "os.rename('{W}/.git', '{W}/old'); os.mkdir('{W}/.git'); open('{W}/.git/config', 'w').write('pwned')",
        ),
        on(
            "{W}/.git/config",
            "by a hard link",
            "os.link('{W}/.git/config', '{W}/c'); open('{W}/c', 'a').write('pwned')",
        ),
        on(
            "{W}/.git/config",
            "by a symbolic link",
            "os.symlink('{W}/.git/config', '{W}/c'); open('{W}/c', 'a').write('pwned')",
        ),
        on(
            "{W}/.git/config",
            "by a descriptor",
            "
reading = os.open('{W}/.git/config', os.O_RDONLY)
open(f'/proc/self/fd/{reading}', 'a').write('pwned')
",
        ),
        on("{W}/.envrc", "what is read on entering", "open('{W}/.envrc', 'a').write('pwned')"),
        on(
            "{W}/sub/repo/.git/config",
            "the folder above the folder above",
            "
os.rename('{W}/sub', '{W}/old')
os.makedirs('{W}/sub/repo/.git')
open('{W}/sub/repo/.git/config', 'w').write('pwned')
",
        ),
        on(
            "{W}/.git/hooks/post-merge",
            "hooks elsewhere",
            "
os.makedirs('{W}/h')
open('{W}/h/post-merge', 'w').write('pwned')
os.rename('{W}/.git/hooks', '{W}/old')
os.symlink('{W}/h', '{W}/.git/hooks')
",
        ),
    ]);
}

#[test]
fn what_is_new_is_there_no_more_when_the_program_has_ended() {
    make(&[
        on("{W}/plain/.envrc", "on entering", "open('{W}/plain/.envrc', 'w').write('pwned')"),
        on(
            "{W}/.vscode/tasks.json",
            "an editor's tasks",
            "
os.mkdir('{W}/.vscode')
open('{W}/.vscode/tasks.json', 'w').write('pwned')
",
        ),
        on(
            "{W}/.claude/settings.json",
            "brought along by a folder",
            "
os.mkdir('{W}/c')
open('{W}/c/settings.json', 'w').write('pwned')
os.rename('{W}/c', '{W}/.claude')
",
        ),
        on(
            "{W}/plain/.git/config",
            "a repository",
            "
os.mkdir('{W}/plain/.git')
open('{W}/plain/.git/config', 'w').write('pwned')
",
        ),
        on(
            "{W}/.git/commondir",
            "another folder of git's settings",
            "
os.mkdir('{W}/common')
open('{W}/.git/commondir', 'w').write('../common pwned')
",
        ),
        on(
            "{W}/.git/config.lock",
            "what git would take for its settings",
            "open('{W}/.git/config.lock', 'w').write('pwned')",
        ),
        on(
            "{W}/.git/modules/m/config",
            "a module's settings",
            "
os.mkdir('{W}/.git/modules/m')
open('{W}/.git/modules/m/config', 'w').write('pwned')
",
        ),
        on(
            "{W}/plain/HEAD",
            "a folder that git takes for its own",
            "
for name in ('objects', 'refs'):
    os.mkdir('{W}/plain/' + name)
open('{W}/plain/HEAD', 'w').write('ref: refs/heads/pwned')
",
        ),
        on(
            "{W}/.husky",
            "by a symbolic link",
            "
open('{W}/plain/husky', 'w').write('pwned')
os.symlink('{W}/plain/husky', '{W}/.husky')
",
        ),
        on(
            "{W}/plain/.npmrc",
            "when its time is up",
            "
open('{W}/plain/.npmrc', 'w').write('pwned')
os.kill(os.getpid(), signal.SIGKILL)
",
        ),
    ]);
}
