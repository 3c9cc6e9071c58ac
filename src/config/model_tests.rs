use super::*;

fn parse(text: &str) -> Result<Option<ModelSettings>, String> {
    ModelSettings::parse(text.parse().unwrap())
}

fn settings(text: &str) -> ModelSettings {
    parse(text).unwrap().unwrap()
}

fn base_url(provider: &str, given: &str) -> String {
    settings(&format!("provider = '{provider}'\nname = 'm'\nbase_url = '{given}'")).base_url
}

#[test]
fn without_a_name_there_is_no_model() {
    assert_eq!(parse("").unwrap(), None);
    assert_eq!(parse("provider = 'ollama'\nretries = 1").unwrap(), None);
}

#[test]
fn what_is_not_said_has_a_default() {
    let settings = settings("provider = 'anthropic'\nname = 'claude'");
    assert_eq!(settings.base_url, "https://api.anthropic.com/v1/");
    assert_eq!(settings.key_env.as_deref(), Some("ANTHROPIC_API_KEY"));
    assert_eq!((settings.timeout_seconds, settings.retries, settings.max_output_tokens), (120, 3, 8192));
    assert_eq!((settings.temperature, settings.input_cost_per_million, settings.fallback), (None, None, false));
}

#[test]
fn the_base_url_may_be_written_in_every_usual_way() {
    for given in ["http://h:8080", "http://h:8080/", "http://h:8080/v1", "HTTP://h:8080/v1/", "http://h:8080//v1//"] {
        assert_eq!(base_url("openai", given), "http://h:8080/v1/", "{given}");
        assert_eq!(base_url("anthropic", given), "http://h:8080/v1/", "{given}");
        assert_eq!(base_url("ollama", given), "http://h:8080/", "{given}");
    }
    for (provider, given, normal) in [
        ("openai", "http://h/v1/chat/completions", "http://h/v1/"),
        ("openai", "https://h/api/paas/v4", "https://h/api/paas/v4/"),
        ("openai", "https://h/v1beta/openai", "https://h/v1beta/openai/"),
        ("openai", "https://h/openai", "https://h/openai/v1/"),
        ("anthropic", "https://h/anthropic/v1/messages", "https://h/anthropic/v1/"),
        ("ollama", "http://h/api/chat", "http://h/"),
        ("ollama", "http://h/models/api", "http://h/models/"),
        ("gemini", "https://h", "https://h/v1beta/"),
        ("gemini", "https://h/v1/", "https://h/v1/"),
        ("openai", "http://[::1]:8080", "http://[::1]:8080/v1/"),
    ] {
        assert_eq!(base_url(provider, given), normal, "{given}");
    }
}

#[test]
fn addresses_that_can_not_be_used_are_refused_without_what_may_be_a_password() {
    let refuse = |given: &str| parse(&format!("provider = 'openai'\nname = 'm'\nbase_url = '{given}'")).unwrap_err();
    for given in ["localhost:8080", "ftp://h", "file:///etc", ""] {
        assert!(refuse(given).contains("must begin with"), "{given}");
    }
    for given in ["http://", "http:///v1", "http://h:port", "http://h:99999", "http://[::1"] {
        assert!(refuse(given).contains("names no host"), "{given}");
    }
    for given in ["https://user:hunter2@h", "https://h/v1?key=hunter2", "https://h/#hunter2"] {
        let message = refuse(given);
        assert!(message.contains("only from the environment") && !message.contains("hunter2"), "{message}");
    }
}

#[test]
fn a_key_in_the_file_is_refused_and_not_repeated() {
    for field in ["api_key", "key", "key_env"] {
        let message = parse(&format!("provider = 'openai'\nname = 'm'\n{field} = 'sk-hunter2'")).unwrap_err();
        assert!(message.contains("only from the environment") && !message.contains("hunter2"), "{message}");
    }
    let message = parse("provider = 'openai'\nname = 'm'\nsecret = 'sk-hunter2'").unwrap_err();
    assert!(message.contains("unknown field `secret`") && !message.contains("hunter2"), "{message}");
}

#[test]
fn the_key_of_openai_is_for_openai() {
    let key_env = |more: &str| settings(&format!("provider = 'openai'\nname = 'm'\n{more}")).key_env;
    assert_eq!(key_env("").as_deref(), Some("OPENAI_API_KEY"));
    assert_eq!(key_env("base_url = 'https://api.openai.com'").as_deref(), Some("OPENAI_API_KEY"));
    assert_eq!(key_env("base_url = 'http://localhost:8080'"), None);
    assert_eq!(key_env("base_url = 'http://localhost:8080'\nkey_env = 'MY_KEY'").as_deref(), Some("MY_KEY"));
    assert_eq!(settings("provider = 'ollama'\nname = 'm'").key_env, None);
}

#[test]
fn values_out_of_range_are_named() {
    for (text, message) in [
        ("timeout_seconds = 0", "`model.timeout_seconds` is 0"),
        ("retries = 11", "`model.retries` is 11"),
        ("max_output_tokens = 0", "`model.max_output_tokens` is 0"),
        ("temperature = 1.5", "`model.temperature` is 1.5; with `anthropic`"),
        ("temperature = nan", "`model.temperature` is NaN"),
        ("input_cost_per_million = 3.0", "go together"),
        ("input_cost_per_million = -1\noutput_cost_per_million = 1", "`model.input_cost_per_million` is -1"),
        ("timeout_seconds = 'long'", "`model.timeout_seconds`: invalid type"),
        ("retrys = 1", "unknown field `retrys`"),
    ] {
        let refused = parse(&format!("provider = 'anthropic'\nname = 'm'\n{text}")).unwrap_err();
        assert!(refused.contains(message), "{text}: {refused}");
    }
    assert!(parse("name = 'm'").unwrap_err().contains("`model.provider` is missing"));
    assert!(parse("provider = 'claude'\nname = 'm'").unwrap_err().contains("`model.provider`: unknown variant"));
    assert!(parse("provider = 'openai'\nname = ' '").unwrap_err().contains("names no model"));
}

#[test]
fn local_addresses_are_known() {
    let is_local = |given: &str| settings(&format!("provider = 'openai'\nname = 'm'\nbase_url = '{given}'")).is_local();
    for given in
        ["http://localhost", "http://LOCALHOST:1/v1", "http://127.0.0.1:8080", "http://[::1]:8080", "http://127.9.9.9"]
    {
        assert!(is_local(given), "{given}");
    }
    for given in ["http://localhost.example", "http://10.0.0.1", "https://api.openai.com", "http://[2001:db8::1]"] {
        assert!(!is_local(given), "{given}");
    }
}

#[test]
fn the_key_is_read_from_the_variable_and_never_printed() {
    let mut settings = settings("provider = 'anthropic'\nname = 'm'\nkey_env = 'PATH'");
    let key = settings.key().unwrap();
    assert_eq!(key.expose(), std::env::var_os("PATH").unwrap().to_str().unwrap().trim());
    assert_eq!(format!("{key:?}"), "Secret(…)");
    settings.key_env = Some("REPERTOIRE_TEST_NO_SUCH_KEY".to_owned());
    assert!(settings.key().is_none());
    assert!(Secret::new(" \n").is_none());
}
