//! The unit for systemd.

use super::service::Service;

/// The text of a user unit.
pub fn unit(service: &Service) -> String {
    let arguments: Vec<String> = service.arguments.iter().map(|argument| argument_text(argument)).collect();
    let path = service.path.as_ref().map_or_else(String::new, |path| {
        // An assignment is quoted as a whole.
        format!("Environment={}\n", quoted(&format!("PATH={path}")))
    });
    format!(
        "# {mark}\n\
         [Unit]\n\
         Description=Repertoire keeps the clock of {home}\n\
         \n\
         [Service]\n\
         Type=exec\n\
         ExecStart={program} {arguments}\n\
         {path}\
         Restart=on-failure\n\
         RestartSec=30\n\
         KillMode=mixed\n\
         TimeoutStopSec=10\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        mark = service.mark(),
        home = without_specifiers(&service.home).replace(['\n', '\\'], "?"),
        program = quoted(&service.program),
        arguments = arguments.join(" "),
    )
}

/// `%` begins a specifier everywhere.
fn without_specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

fn quoted(text: &str) -> String {
    let text = without_specifiers(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}

/// In the arguments of a command, unlike in its program, `$` begins a variable.
fn argument_text(text: &str) -> String {
    quoted(text).replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::daemon::service::examples::awkward;

    #[test]
    fn what_a_unit_could_take_for_something_else_is_written_as_it_is_meant() {
        let unit = unit(&awkward());
        let start = unit.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
        let expected = "ExecStart=\"/opt/my programs/100%%/repertoire\" \"--home\" \
                        \"/home/ü b/50%% <&> \\\"quoted\\\" $$HOME \\\\ 'x'\" \"--user\" \"ada & \\\"bob\\\"\" \"daemon\"";
        assert_eq!(start, expected);
        assert!(unit.contains("\nEnvironment=\"PATH=/usr/bin:/opt/50%% \\\"x\\\"/bin\"\n"), "{unit}");
        assert!(unit.contains("\nWantedBy=default.target\n") && unit.contains("\nRestart=on-failure\n"), "{unit}");
        assert!(unit.starts_with(&format!("# {}\n", awkward().mark())), "{unit}");
    }
}
