//! What `config.toml` may say.

use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(PathBuf::from("/nonexistent/home"), None, text).map_err(|error| error.to_string())
}

#[test]
fn nothing_is_allowed_by_default() {
    let config = parse("").unwrap();
    assert!(config.policy.is_empty());
    assert_eq!(config.limits, Limits::default());
}

#[test]
fn the_template_is_a_valid_configuration_that_allows_nothing() {
    let config = parse(TEMPLATE).unwrap();
    assert!(config.policy.is_empty());
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.model, None);
}

#[test]
fn the_template_shows_the_defaults_of_what_is_kept() {
    let (_, section) = TEMPLATE.split_once("\n[retention]\n").unwrap();
    let shown = section.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| line.strip_prefix("# "));
    let text: String = shown.filter(|line| line.starts_with("max_")).flat_map(|line| [line, "\n"]).collect();
    assert!(text.contains("max_age_days") && text.contains("max_mib"), "{text}");
    assert_eq!(parse(&format!("[retention]\n{text}")).unwrap().retention, Retention::default());
}

#[test]
fn the_template_shows_a_model_that_can_be_had() {
    let (_, section) = TEMPLATE.split_once("\n[model]\n").unwrap();
    let shown = section
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.split_once(" = ").is_some_and(|(field, _)| !field.contains(' ')));
    let text: String = shown.flat_map(|line| [line, "\n"]).collect();
    let model = parse(&format!("[model]\n{text}")).unwrap().model.unwrap();
    assert_eq!((model.provider, model.timeout_seconds, model.retries), (Provider::Anthropic, 120, 3));
    assert_eq!((model.max_output_tokens, model.fallback), (8192, false));
}

#[test]
fn the_template_shows_servers_that_can_be_had() {
    let (_, rest) = TEMPLATE.split_once("# [mcp_servers.github]\n").unwrap();
    let ends = |line: &&str| line.starts_with('[') || line.starts_with("# [") && !line.starts_with("# [mcp_servers.");
    let shown =
        rest.lines().take_while(|line| !ends(line)).filter_map(|line| line.strip_prefix("# ")).filter(|line| {
            line.starts_with('[') || line.split_once(" = ").is_some_and(|(field, _)| !field.contains(' '))
        });
    let text: String = shown.flat_map(|line| [line, "\n"]).collect();
    let servers = parse(&format!("[mcp_servers.github]\n{text}")).unwrap().mcp_servers;
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["github", "search"]);
    assert_eq!((servers["github"].timeout_seconds, servers["github"].start_timeout_seconds), (60, 20));
    assert!(matches!(servers["search"].reach, Reach::Http(_)));
}

#[test]
fn a_mistyped_key_is_named() {
    let message = parse("[policy]\ncomands = ['git']").unwrap_err();
    assert!(message.contains("comands") && message.contains("commands"), "{message}");
}
