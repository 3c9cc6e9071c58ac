//! Which commands and directories code is seen to need.

use super::*;

fn commands(source: &str) -> Vec<String> {
    let source = format!("from repertoire import run_command\n{source}");
    analyze(&source, &Context::default()).permissions_needed.commands
}

#[test]
fn commands_are_seen_through_aliases() {
    let needed = |source: &str| analyze(source, &Context::default()).permissions_needed.commands;
    assert_eq!(needed("import repertoire\nrepertoire.run_command(['ls', '-l'])"), ["ls"]);
    assert_eq!(needed("from repertoire import run_command as r\ncmd = ['npm', 'test']\nr(cmd)"), ["npm test"]);
    assert_eq!(needed("from repertoire import run_command\nrun_command(command=['make', x])"), ["make"]);
    assert!(needed("def run_command(x):\n    return x\nrun_command(['ls'])").is_empty());
    let read = analyze("from pathlib import Path\np = Path('/srv') / 'a.txt'\np.read_text()", &Context::default());
    assert_eq!(read.permissions_needed.read, ["/srv"]);
}

#[test]
fn commands_are_seen_however_the_list_is_built() {
    for (source, expected) in [
        ("GIT = 'git'\nrun_command([GIT, 'log'] + ['-n', '1'])", &["git log"][..]),
        ("base = ['git', '-C', '/x']\nrun_command([*base, 'diff'])", &["git"]),
        ("base = ['git']\nrun_command(base + ['diff'])", &["git diff"]),
        ("run_command('cargo test --all'.split())", &["cargo test"]),
        ("def f(x):\n    run_command(['make', 'a'] if x else ['just', 'b'])", &["just b", "make a"]),
        (
            "def f(x):\n    if x:\n        c = ['make']\n    else:\n        c = ['just']\n    run_command(c)",
            &["just", "make"],
        ),
        ("for c in [['ls', '-l'], ('cat', 'x')]:\n    run_command(c)", &["cat x", "ls"]),
        ("C = {'a': ['npm', 'test'], 'b': ['npm', 'run']}\ndef f(k):\n    run_command(C[k])", &["npm run", "npm test"]),
        ("C = {'a': ['npm']}\ndef f(k):\n    run_command(C.get(k, ['yarn']))", &["npm", "yarn"]),
        ("c = ['docker', 'ps']\nc += ['--quiet']\nrun_command(c)", &["docker ps"]),
        ("def _run(c):\n    run_command(c)\n_run(['helm', 'list'])\n_run(c=['kubectl'])", &["helm list", "kubectl"]),
        (
            "def _git(*words):\n    run_command(['git', *words])\n_git('fetch', '-p')\n_git('push')",
            &["git fetch", "git push"],
        ),
        ("def _tool(name, flag='-V'):\n    run_command([name, flag])\n_tool('node')", &["node"]),
        ("def f(x):\n    run_command([x])\nf(f(1))", &[]),
        ("def f(x):\n    run_command(x)\n    f(x)", &[]),
    ] {
        assert_eq!(commands(source), expected, "{source}");
    }
    let unknown = "from repertoire import run_command\ndef _run(c):\n    run_command(c)\ndef main(x):\n    _run(x)\n    _run(['ls'])";
    assert!(codes(unknown).contains("RPT108"));
    assert!(!codes(&unknown.replace("_run(x)", "_run(['df', x])")).contains("RPT108"));
}

#[test]
fn many_ways_to_build_a_command_take_bounded_time() {
    let choice = "'a' if x else 'b', ".repeat(60);
    let source = format!("def f(x):\n    run_command([{choice}])\n{}", "f(1)\n".repeat(2_000));
    let start = std::time::Instant::now();
    assert!(commands(&source).len() <= 4);
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn directories_are_seen_through_paths() {
    let needed = |source: &str| {
        let needed =
            analyze(&format!("import os\nfrom pathlib import Path\n{source}"), &Context::default()).permissions_needed;
        (needed.read, needed.write)
    };
    let none: [&str; 0] = [];
    for (source, read, write) in [
        ("R = '/data'\nos.listdir(os.path.join(R, 'in'))", &["/data/in"][..], &none[..]),
        ("os.rename('/a/x', '/b/x')", &[], &["/a", "/b"]),
        ("os.makedirs('/a/b/c')", &[], &["/a/b"]),
        ("Path('/a', 'b').joinpath('c.txt').write_text('x')", &[], &["/a/b"]),
        ("with open(os.path.join('/a', 'b.txt')) as f:\n    f.read()", &["/a"], &[]),
        ("with open(Path('/a') / '/b/c', mode='a') as f:\n    f.write('x')", &[], &["/b"]),
        ("if os.path.exists('/a/b'):\n    print(1)", &["/a"], &[]),
        ("from repertoire import run_command\nrun_command(['ls'], cwd='/srv/app')", &["/srv/app"], &[]),
    ] {
        let (r, w) = needed(source);
        assert_eq!(
            (r, w),
            (read.iter().map(ToString::to_string).collect(), write.iter().map(ToString::to_string).collect()),
            "{source}"
        );
    }
}

#[test]
fn hosts_are_seen_when_the_beginning_of_the_address_is_constant() {
    for (source, expected) in [
        ("http_request('https://api.example.org/x')", &["api.example.org"][..]),
        ("http_request(url='HTTP://API.example.org:8080?q')", &["api.example.org:8080"]),
        ("def f(x):\n    http_request(f'https://api.example.org/{x}/y')", &["api.example.org"]),
        ("BASE = 'https://api.example.org'\ndef f(x):\n    http_request(f'{BASE}/{x}')", &["api.example.org"]),
        ("BASE = 'http://localhost:80'\ndef f(x):\n    http_request(BASE + '/a/' + x)", &["localhost"]),
        ("def f(x):\n    url = f'https://[::1]:8443/{x}'\n    http_request(url + '?a')", &["[::1]:8443"]),
        (
            "def f(x):\n    http_request('https://a.org/{}'.format(x))\n    http_request('http://b.org/%s' % x)",
            &["a.org", "b.org"],
        ),
        ("import repertoire\nrepertoire.http_request('https://a.org')", &["a.org"]),
        ("def f(x):\n    http_request(f'https://{x}.example.org/')", &[]),
        ("def f(x):\n    http_request('https://api.example.org' + x)", &[]),
        ("def f(x):\n    http_request(x)\n    http_request('ftp://a.org/')\n    http_request('https://u@a.org/')", &[]),
    ] {
        let source = format!("from repertoire import http_request\n{source}");
        let needed = analyze(&source, &Context::default()).permissions_needed;
        assert_eq!(needed.network, expected, "{source}");
        assert!(!needed.model);
    }
}

#[test]
fn what_a_model_and_a_host_need_is_told_and_can_fail() {
    let source =
        "from repertoire import http_request, llm\nllm('a')\nllm('b')\nhttp_request('https://a.org/', check=False)";
    let grants = Permissions { network: vec!["*.org".into()], ..Permissions::default() };
    let context = Context { grants: Some(&grants), ..Context::default() };
    let analysis = analyze(source, &context);
    assert!(analysis.permissions_needed.model);
    let found: Vec<_> = analysis.issues.iter().filter(|issue| issue.code.starts_with("RPT11")).collect();
    assert_eq!((found.len(), found[0].code, found[0].line), (1, "RPT111", Some(2)));
    assert!(codes("from repertoire import llm\nllm('a')").contains("RPT403"));
    assert!(codes("from repertoire import http_request\nhttp_request('http://a', check=False)").contains("RPT403"));
}
