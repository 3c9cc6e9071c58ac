use super::*;

fn parse(text: &str) -> Result<BTreeMap<String, ServerSettings>, String> {
    let table: Table = toml::from_str(text).unwrap();
    let Some(Value::Table(sections)) = table.get("mcp_servers").cloned() else { panic!("no sections") };
    let rules = std::sync::Arc::default();
    let home = std::path::Path::new("/nowhere");
    ServerSettings::parse_all(sections, Surroundings { home, file: home, rules: &rules })
}

fn complaint(section: &str) -> String {
    parse(&format!("[mcp_servers.one]\n{section}")).unwrap_err()
}

#[test]
fn a_program_and_an_address_are_read() {
    let servers = parse(
        "[mcp_servers.git]\ncommand = 'uvx'\nargs = ['mcp-server-git']\nenv = { LEVEL = 'x' }\nenv_vars = ['TOKEN']\n\
         [mcp_servers.search]\nurl = 'https://example.com/mcp'\nheaders = { 'X-Team' = 'a' }\n\
         headers_env = { Authorization = 'Bearer SEARCH_TOKEN', X-Api-Key = 'KEY' }\ntimeout_seconds = 5\n\
         enabled = false",
    )
    .unwrap();
    let Reach::Command(git) = &servers["git"].reach else { panic!("not a program") };
    assert_eq!((git.command.to_str(), git.args.len(), git.env_vars.len()), (Some("uvx"), 1, 1));
    assert_eq!((servers["git"].timeout_seconds, servers["git"].start_timeout_seconds), (60, 20));
    assert!(servers["git"].enabled && !servers["search"].enabled);
    let Reach::Http(search) = &servers["search"].reach else { panic!("not an address") };
    let source = &search.headers_env["Authorization"];
    assert_eq!((source.scheme.as_deref(), source.variable.as_str()), (Some("Bearer"), "SEARCH_TOKEN"));
    assert_eq!(search.headers_env["X-Api-Key"].scheme, None);
}

#[test]
fn what_other_programs_call_the_type_is_understood() {
    assert!(parse("[mcp_servers.a]\ntype = 'stdio'\ncommand = 'x'").is_ok());
    assert!(parse("[mcp_servers.a]\ntype = 'streamable-http'\nurl = 'http://localhost:1/mcp'").is_ok());
    assert!(complaint("type = 'sse'\nurl = 'http://localhost:1/sse'").contains("`mcp_servers.one.type` is `sse`"));
}

#[test]
fn complaints_name_the_field_and_say_what_to_do() {
    for (section, parts) in [
        ("", &["`mcp_servers.one` needs `command`"][..]),
        ("command = 'x'\nurl = 'http://a'", &["both `command` and `url`"]),
        ("comand = 'x'", &["mcp_servers.one", "comand", "command"]),
        ("command = ''", &["`mcp_servers.one.command` is empty"]),
        ("command = './x'", &["absolute path", "PATH"]),
        ("command = 'x'\ncwd = 'here'", &["`mcp_servers.one.cwd`", "absolute"]),
        ("command = 'x'\nargs = 'y'", &["`mcp_servers.one.args`"]),
        ("command = 'x'\ntimeout_seconds = 0", &["timeout_seconds` is 0; it is from 1 to 3600"]),
        ("command = 'x'\nheaders = { a = 'b' }", &["belongs to a server with `url`"]),
        ("command = 'x'\nenv = { 'a=b' = 'c' }", &["no name of a variable"]),
        ("url = 'example.com'", &["`http://`"]),
        ("url = 'http:///x'", &["no host"]),
        ("url = 'http://a'\nargs = ['x']", &["belong to a server with `command`"]),
        ("url = 'http://a'\nheaders = { 'a b' = 'c' }", &["no name of a header"]),
        ("url = 'http://a'\nheaders = { Accept = 'c' }", &["the protocol sets itself"]),
    ] {
        let complaint = complaint(section);
        for part in parts {
            assert!(complaint.contains(part), "{section}: {complaint}");
        }
    }
    assert!(parse("[mcp_servers.'a/b']\ncommand = 'x'").unwrap_err().contains("server/tool"));
    assert!(parse("[mcp_servers]\na = 1").unwrap_err().contains("must be a table"));
}

#[test]
fn secrets_in_the_file_are_refused_and_not_repeated() {
    for section in [
        "url = 'http://a'\nheaders = { Authorization = 'Bearer hunter2' }",
        "url = 'http://a'\nheaders_env = { Authorization = 'Bearer hunter2' }",
        "url = 'http://a'\nheaders_env = { X-Api-Key = 'hunter2' }",
        "url = 'http://me:hunter2@a/mcp'",
        "url = 'http://a'\ntimeout_seconds = 'hunter2'",
    ] {
        let complaint = complaint(section);
        assert!(!complaint.contains("hunter2") || section.contains("timeout"), "{complaint}");
        assert!(complaint.contains("environment") || section.contains("timeout"), "{complaint}");
    }
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let servers = parse(
        "[mcp_servers.a]\ncommand = 'x'\nenv_vars = ['REPERTOIRE_NO_SUCH_VARIABLE']\n\
         [mcp_servers.b]\nurl = 'http://a'\nheaders_env = { X = 'REPERTOIRE_NO_SUCH_VARIABLE' }",
    )
    .unwrap();
    let (Reach::Command(a), Reach::Http(b)) = (&servers["a"].reach, &servers["b"].reach) else { panic!("mixed up") };
    for why in [a.environment().unwrap_err(), b.secret_headers().unwrap_err()] {
        assert!(why.contains("`REPERTOIRE_NO_SUCH_VARIABLE`") && why.contains("is not set"), "{why}");
    }
}
