//! Sources that are made to exhaust something: every one gets an answer, in time and on a small stack.

use std::time::{Duration, Instant};

use super::*;

/// Longer than anything takes that ends, on a slow and busy machine too.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs on a small stack, as a server's worker thread has it.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(1 << 20).spawn(test).unwrap().join().unwrap();
}

#[test]
fn bombs_give_a_clean_issue_in_bounded_time() {
    on_a_small_stack(|| {
        let n = 100_000;
        let nested_blocks: String = (0..400).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        let bombs = [
            "(".repeat(n) + "1" + &")".repeat(n),
            "[".repeat(n),
            "{".repeat(n),
            "1+".repeat(n) + "1",
            "a".to_owned() + &".b".repeat(n),
            "not ".repeat(n / 2) + "1",
            "-".repeat(n) + "1",
            "lambda: ".repeat(n / 4) + "1",
            "lambda a, b=1: ".repeat(n / 8) + "1",
            "f".to_owned() + &"()".repeat(n),
            "x".to_owned() + &"[0]".repeat(n / 2),
            "1 if 1 else ".repeat(n / 8) + "1",
            "2**".repeat(n / 2) + "2",
            "await ".repeat(n / 4) + "x",
            "if x: pass\n".to_owned() + &"elif x: pass\n".repeat(n / 8),
            "f'{".repeat(n / 4),
            nested_blocks,
            "match x:\n case ".to_owned() + &"[".repeat(n),
            "x = ".repeat(n / 8) + &"1+".repeat(300) + "1",
            "#".repeat(5_000_000),
            "x = '\0'".to_owned(),
            "\u{feff}\u{feff}(".to_owned(),
            ") ] }".repeat(n / 8),
            "\t \t\n".repeat(n / 8) + "  x",
        ];
        for bomb in bombs {
            let start = Instant::now();
            let analysis = analyze(&bomb, &Context::default());
            let label: String = bomb.chars().take(20).collect();
            assert!(!analysis.checks.syntax && !analysis.is_storable(), "{label}");
            assert!(!analysis.issues.is_empty() && analysis.issues.len() <= 5, "{label}");
            assert!(
                analysis.issues.iter().all(|issue| issue.category == Category::Syntax),
                "{label} {:?}",
                analysis.issues
            );
            assert!(analysis.quality_score.abs() < f64::EPSILON);
            assert!(entry_point(&bomb, None).is_err() || bomb.contains("elif"), "{label}");
            assert!(start.elapsed() < PATIENCE, "{label} took {:?}", start.elapsed());
        }
    });
}

#[test]
fn wide_sources_are_walked_in_bounded_time() {
    on_a_small_stack(|| {
        let wide = [
            "x = 1\n".repeat(40_000),
            "eval('1')\n".repeat(20_000),
            format!("x = [{}]\n", "1, ".repeat(80_000)),
            "def f(a):\n    return a\n".repeat(10_000),
            "import os\n".to_owned() + &"os = os\n".repeat(20_000) + "os.system('x')\n",
            (0..4_000).map(|i| format!("def f{i}(a{i}):\n    return a{i}.b.c(f{i}(1))\n")).collect(),
            format!("x = {}1\n", "1 + ".repeat(180)),
            "import re\n".repeat(6_000),
            "x = 1 == None\n".repeat(4_000),
            "def f(a):\n    b = 1\n".repeat(2_500),
            "x = '{} {}'.format(1)\n".repeat(2_500),
            "x = set([1, 2])\n".repeat(3_500),
            "x = list(map(lambda a: a, [1]))\n".repeat(1_800),
            format!("x = {{{}}}\n", "1: 2, ".repeat(10_000)),
            format!("def f(a):\n    return {}\n", "a == 1 or ".repeat(140) + "a"),
            format!("def f(a):\n{}", "    if a:\n        if a:\n            print(a)\n".repeat(1_100)),
            format!("try:\n    print(1)\n{}", "except ValueError:\n    print(2)\n".repeat(1_700)),
            (0..2_500).map(|i| format!("from re import a{i}\n")).collect(),
            "from repertoire import run_command\n".to_owned() + &"run_command(['a', 'b'])\n".repeat(8_000),
        ];
        for source in wide {
            let start = Instant::now();
            let analysis = analyze(&source, &Context::default());
            assert!(analysis.checks.syntax, "{:?}", analysis.issues.first());
            assert!(analysis.issues.len() < 300);
            assert!(start.elapsed() < PATIENCE, "{source:.30} took {:?}", start.elapsed());
        }
    });
}

#[test]
fn deep_sources_and_texts_fit_a_small_stack() {
    on_a_small_stack(|| {
        // As deep as may be, and as deep as the linter goes on the stack that it is called on.
        for n in [180, 70] {
            let blocks: String = (0..n / 2).map(|depth| format!("{}if x{depth}:\n", " ".repeat(depth))).collect();
            let deep = [
                format!("def f(a):\n    return set([{}x{} for x in a])\n", "[".repeat(n - 20), "]".repeat(n - 20)),
                format!(
                    "def f(a):\n    return list(map(lambda x: {}x{}, a))\n",
                    "g(".repeat(n / 2 - 10),
                    ")".repeat(n / 2 - 10)
                ),
                format!("def f(a):\n    return {}a\n", "not ".repeat(n - 10)),
                format!("def f(a):\n    return {}a\n", "lambda: ".repeat(n - 10)),
                format!("def f(a):\n    return a{}\n", ".b".repeat(n - 10)),
                format!("def f(a):\n    return {}a{}\n", "[x for x in ".repeat(n / 2 - 10), "]".repeat(n / 2 - 10)),
                format!("def f(a):\n    return {}1\n", "1 if a else ".repeat(n - 10)),
                format!("def f(a: {}int{}) -> int:\n    return a\n", "list[".repeat(n - 10), "]".repeat(n - 10)),
                format!("{blocks}{}pass\n", " ".repeat(n / 2)),
                (0..n / 2).map(|depth| format!("{}def f{depth}(a):\n", " ".repeat(depth))).collect::<String>()
                    + &" ".repeat(n / 2)
                    + "return a\n",
            ];
            for source in deep {
                let analysis = analyze(&source, &Context::default());
                assert!(analysis.checks.syntax, "{source:.40} {:?}", analysis.issues.first());
            }
        }
        // The linter takes texts for annotations.
        for text in ["-".repeat(60_000), "not ".repeat(15_000), "\\x2d".repeat(9_000), "(-".repeat(20_000)] {
            for source in [
                format!("x: \"{text}1\" = 1\n"),
                format!("x: \"List['{text}1']\" = 1\n"),
                format!("from typing import TypeVar\nx = TypeVar(\"a b {text}1\")\n"),
                format!("x: (\"-\" {}) = 1\n", "\"--------------------\"\n".repeat(text.len() / 25)),
            ] {
                let start = Instant::now();
                assert!(!analyze(&source, &Context::default()).issues.is_empty());
                assert!(start.elapsed() < PATIENCE, "{source:.40} took {:?}", start.elapsed());
            }
        }
        let annotated = format!("def f(x: {}1) -> int:\n    return x\n", "-".repeat(1_400));
        assert_eq!(analyze(&annotated, &Context::default()).issues[0].code, "RPT003");
    });
}

#[test]
fn long_texts_keep_no_source_from_the_linter() {
    let page = "<tr><td class=\\\"a\\\">It was so</td></tr>".repeat(20);
    for text in ["It is (so) - or not; see a.b. ".repeat(50), page] {
        let source = format!("import re\nx = \"{text}\"\n");
        assert!(codes(&source).contains("RPT601"), "{source:.60}");
    }
}
