//! Secrets in texts and values that are to be kept: known by the names that they go by, or by their shape.
//!
//! What is taken for one becomes [`HIDDEN`]. Better a word too many than a key in a history that is never rewritten.

use serde_json::{Map, Value};

/// What stands where a secret was.
pub const HIDDEN: &str = "<secret>";

/// Parts of names of what is secret.
const NAMES: [&str; 17] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
    "cookie",
    "sessionid",
    "bearer",
    "clientsecret",
    "signature",
    "connectionstring",
];
/// Names that have one of these and are harmless.
const HARMLESS: [&str; 8] =
    ["maxtokens", "tokens", "tokencount", "tokenizer", "passwordless", "secretname", "tokenlimit", "tokenuri"];
/// How keys of well-known services begin, and how long they are at least.
const BEGINNINGS: [(&str, usize); 24] = [
    ("sk-", 16),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("pk_live_", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("xapp-", 16),
    ("AKIA", 20),
    ("ASIA", 20),
    ("AIza", 30),
    ("ya29.", 16),
    ("npm_", 20),
    ("pypi-", 20),
    ("hf_", 20),
    ("eyJ", 40),
];
/// Options of commands whose next word is a secret.
const OPTIONS: [&str; 8] = [
    "--password",
    "--token",
    "--secret",
    "--api-key",
    "--passphrase",
    "--auth-token",
    "--client-secret",
    "--access-token",
];

/// Whether a field of this name holds a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    !HARMLESS.contains(&plain.as_str()) && NAMES.iter().any(|secret| plain.contains(secret))
}

/// Whether a word looks like a key, wherever it stands.
fn is_secret_shape(word: &str) -> bool {
    let is_of = |(beginning, least): &(&str, usize)| {
        word.len() >= *least
            && word.starts_with(beginning)
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+/=".contains(&byte))
    };
    BEGINNINGS.iter().any(is_of) || is_random(word)
}

/// Long, with letters of both cases and digits all over: nobody thinks of such a word. Hashes and UUIDs, which have one case,
/// are no secrets.
fn is_random(word: &str) -> bool {
    if word.len() < 32 || !word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte)) {
        return false;
    }
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let bytes = word.as_bytes();
    let has = |wanted: u8| bytes.iter().filter(|byte| kind(**byte) == wanted).count() >= 3;
    let turns = bytes.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    has(0) && has(1) && has(2) && turns * 3 >= word.len()
}

/// A text without what looks like a secret.
#[must_use]
pub fn scrubbed(text: &str) -> String {
    let text = without_private_keys(text);
    let mut out = String::with_capacity(text.len());
    let mut hides_next = false;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end_matches(char::is_whitespace);
        let space = &piece[word.len()..];
        if word.is_empty() {
            out.push_str(space);
            continue;
        }
        let is_hidden = std::mem::take(&mut hides_next);
        // `Authorization: Bearer …` and `--token …`
        let bare = word.trim_matches(|c: char| "\"'`,;(){}[]".contains(c));
        let announces = bare.eq_ignore_ascii_case("bearer")
            || OPTIONS.contains(&bare)
            || bare.strip_suffix([':', '=']).is_some_and(is_secret_name);
        if announces {
            out.push_str(word);
            hides_next = true;
        } else if is_hidden && !bare.is_empty() && !is_variable(bare) && !word.contains("{{") {
            out.push_str(&word.replacen(bare, HIDDEN, 1));
        } else {
            out.push_str(&word_without(word));
        }
        out.push_str(space);
    }
    out
}

/// `$TOKEN` and `{{token}}` name a secret and are none.
fn is_variable(word: &str) -> bool {
    word.starts_with('$') || word.starts_with("{{") || word.starts_with('<') || word == HIDDEN
}

/// A word without the secret in it: after a name that says so, in an address, or by its shape.
fn word_without(word: &str) -> String {
    if let Some((scheme, rest)) = word.split_once("://")
        && let Some((user_info, place)) = rest.split_once('@')
        && let Some((user, password)) = user_info.split_once(':')
        && !user.contains('/')
        && !password.is_empty()
        && !is_variable(password)
    {
        return format!("{scheme}://{user}:{HIDDEN}@{place}");
    }
    let mut out = String::new();
    let mut rest = word;
    // `NAME=value` and `"name":"value"`, several of them in `a=1&token=2`.
    while let Some(at) = rest.find(['=', ':', '&', '?', '"', '\'', ',', '`', ';', '(', ')', '@']) {
        let (part, tail) = rest.split_at(at);
        let mark_end = tail.find(|c: char| !"=:\"'`".contains(c)).unwrap_or(tail.len()).max(1);
        let (mark, after) = tail.split_at(mark_end);
        push_part(&mut out, part);
        out.push_str(mark);
        let names = mark.contains(['=', ':']) && is_secret_name(part);
        if names && !after.is_empty() && !after.starts_with("//") {
            let end = after.find(['&', '"', '\'', ',', '`', ';', ')']).unwrap_or(after.len());
            let (value, more) = after.split_at(end);
            out.push_str(if value.is_empty() || is_variable(value) { value } else { HIDDEN });
            rest = more;
            if more.is_empty() {
                return out;
            }
        } else {
            rest = after;
        }
    }
    push_part(&mut out, rest);
    out
}

fn push_part(out: &mut String, part: &str) {
    out.push_str(if is_secret_shape(part) { HIDDEN } else { part });
}

/// The text without what stands between `-----BEGIN … PRIVATE KEY-----` and its end.
fn without_private_keys(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(begin) = rest
        .find("-----BEGIN ")
        .filter(|at| rest[*at..].lines().next().is_some_and(|line| line.contains("PRIVATE KEY")))
    {
        out.push_str(&rest[..begin]);
        out.push_str(HIDDEN);
        let Some(end) = rest[begin..].find("-----END ").map(|at| begin + at) else { return out };
        let line = rest[end + 9..].find("-----").map_or(rest.len(), |at| end + 9 + at + 5);
        rest = &rest[line..];
    }
    out.push_str(rest);
    out
}

/// A value without secrets: those of fields that are named so, and those that look like one.
#[must_use]
pub fn scrubbed_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(scrubbed(&text)),
        Value::Array(items) => Value::Array(scrubbed_items(items)),
        Value::Object(fields) => Value::Object(scrubbed_fields(fields)),
        other => other,
    }
}

/// A list, which may be the words of a command: what follows `--token` is one.
fn scrubbed_items(items: Vec<Value>) -> Vec<Value> {
    let mut hides_next = false;
    let scrub = |item: Value| {
        let hides = std::mem::take(&mut hides_next);
        hides_next = item.as_str().is_some_and(|word| OPTIONS.contains(&word) || word.eq_ignore_ascii_case("bearer"));
        match item {
            Value::String(word) if hides && !is_variable(&word) => Value::String(HIDDEN.to_owned()),
            item => scrubbed_value(item),
        }
    };
    items.into_iter().map(scrub).collect()
}

/// Fields without secrets.
#[must_use]
pub fn scrubbed_fields(fields: Map<String, Value>) -> Map<String, Value> {
    let scrub = |(name, value): (String, Value)| {
        let is_secret = is_secret_name(&name);
        let value = match value {
            Value::String(text) if is_secret && !text.is_empty() && !is_variable(&text) => HIDDEN.into(),
            Value::Number(_) if is_secret => HIDDEN.into(),
            value => scrubbed_value(value),
        };
        (name, value)
    };
    fields.into_iter().map(scrub).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Put together here, so that no scanner takes this file for a leak.
    fn key(beginning: &str) -> String {
        format!("{beginning}{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3")
    }

    #[test]
    fn secrets_are_known_by_name() {
        for (text, wanted) in [
            ("curl -H 'Authorization: Bearer hunter2'", "curl -H 'Authorization: Bearer <secret>'"),
            ("PGPASSWORD=hunter2 psql", "PGPASSWORD=<secret> psql"),
            ("login --token hunter2 --user ada", "login --token <secret> --user ada"),
            ("{\"api_key\":\"hunter2\",\"n\":1}", "{\"api_key\":\"<secret>\",\"n\":1}"),
            ("https://x.org/?a=1&access_token=hunter2&b=2", "https://x.org/?a=1&access_token=<secret>&b=2"),
            ("postgres://ada:hunter2@db/x", "postgres://ada:<secret>@db/x"),
            ("password: hunter2", "password: <secret>"),
            ("deploy --token=hunter2", "deploy --token=<secret>"),
        ] {
            assert_eq!(scrubbed(text), wanted);
        }
    }

    #[test]
    fn secrets_are_known_by_shape() {
        for beginning in ["sk-", "ghp_", "glpat-", "xoxb-", "AKIA", "hf_", ""] {
            let key = if beginning.is_empty() { key("Zx9Yw8Vu7Ts6") } else { key(beginning) };
            let text = scrubbed(&format!("use {key}, then go on"));
            assert_eq!(text, "use <secret>, then go on", "{key}");
        }
        let pem = "x -----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY----- y";
        assert_eq!(scrubbed(pem), "x <secret> y");
        assert_eq!(scrubbed("-----BEGIN PRIVATE KEY-----\nMII"), "<secret>");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "git push --force-with-lease origin 0ea3c29a6a1fb2b0f2c4d5e6f708192a3b4c5d6e",
            "max_tokens=300 and 9b2d5b8e-61d0-4c6b-8f6e-0f5f0d4c8a11",
            "export TOKEN=$CI_TOKEN; deploy --token {{token}}",
            "http://localhost:8080/path?q=1",
            "src/domain/learning/telling/thesaurus.txt",
            "Rotate access tokens every hour, because stolen tokens then expire soon.",
            "",
        ] {
            assert_eq!(scrubbed(text), text);
        }
    }

    #[test]
    fn values_are_scrubbed_all_the_way_down() {
        let value = json!({
            "headers": [{"Cookie": "a=b"}], "password": 1234, "command": ["deploy", "--token", "hunter2", "now"],
            "note": format!("key {}", key("ghp_")), "limit": {"max_tokens": 5}, "token": "",
        });
        assert_eq!(
            scrubbed_value(value),
            json!({
                "headers": [{"Cookie": "<secret>"}], "password": "<secret>", "command": ["deploy", "--token", "<secret>", "now"],
                "note": "key <secret>", "limit": {"max_tokens": 5}, "token": "",
            })
        );
    }
}
