//! What the type checker says of code that uses packages: nothing of these, which it does not know, and all of the rest.

use serde_json::{Value, json};

use super::home;

/// The rules of the issues that a piece of code has, as far as they are about types.
fn typed(code: &str) -> Vec<String> {
    let home = home("packages = ['*']\n");
    let mut client = home.start();
    let answer = client.ok("validate_procedure_code", json!({"code": code}));
    let issues = answer["issues"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let message = |issue: &Value| issue["message"].as_str().unwrap_or_default().to_owned();
    issues.iter().filter(|issue| issue["category"] == json!("types")).map(message).collect()
}

const HEAD: &str = "# /// script\n# dependencies = [\"pandas\", \"pillow\"]\n# ///\n";

#[test]
fn packages_have_no_types_and_no_false_mistakes() {
    let code = format!(
        "{HEAD}import pandas as pd\nfrom PIL import Image\n\n\ndef summary(path: str) -> dict:\n    \
         \"\"\"Summarise a table.\"\"\"\n    \
         frame = pd.read_csv(1, foo=2)\n    image = Image.open(path)\n    image.thumbnail((64, 64))\n    \
         total: int = frame.units.sum()\n    return {{\"total\": total, \"size\": image.size}}\n"
    );
    assert_eq!(typed(&code), Vec::<String>::new());
}

#[test]
fn beside_packages_types_are_checked() {
    let code = format!(
        "{HEAD}import pandas as pd\n\n\ndef _count(frame: pd.DataFrame, most: int) -> int:\n    \
         \"\"\"Count rows.\"\"\"\n    return min(len(frame), most)\n\n\n\
         def summary(path: str) -> int:\n    \"\"\"Summarise a table.\"\"\"\n    return _count(pd.read_csv(path), \"ten\")\n"
    );
    let found = typed(&code);
    assert!(found.iter().any(|message| message.contains("invalid-argument-type")), "{found:?}");
}
