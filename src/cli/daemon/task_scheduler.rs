//! The task for the Task Scheduler of Windows.

use super::service::{Service, xml};

/// The text of a task that starts when `account` logs on. It names no encoding, so that it can be written in any.
pub fn task(service: &Service, account: Option<&str>) -> String {
    let user = account.map_or_else(String::new, |account| format!("<UserId>{}</UserId>", xml(account)));
    let arguments: Vec<String> = service.arguments.iter().map(|argument| quoted(argument)).collect();
    format!(
        "<?xml version=\"1.0\"?>\n\
         <Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n\
         \x20 <RegistrationInfo>\n\
         \x20   <Description>Repertoire keeps the clock of {home}. {mark}</Description>\n\
         \x20 </RegistrationInfo>\n\
         \x20 <Triggers>\n\
         \x20   <LogonTrigger><Enabled>true</Enabled>{user}</LogonTrigger>\n\
         \x20 </Triggers>\n\
         \x20 <Principals>\n\
         \x20   <Principal id=\"Author\">{user}<LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal>\n\
         \x20 </Principals>\n\
         \x20 <Settings>\n\
         \x20   <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n\
         \x20   <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n\
         \x20   <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>\n\
         \x20   <StartWhenAvailable>true</StartWhenAvailable>\n\
         \x20   <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>\n\
         \x20   <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>\n\
         \x20 </Settings>\n\
         \x20 <Actions Context=\"Author\">\n\
         \x20   <Exec>\n\
         \x20     <Command>{program}</Command>\n\
         \x20     <Arguments>{arguments}</Arguments>\n\
         \x20   </Exec>\n\
         \x20 </Actions>\n\
         </Task>\n",
        home = xml(&service.home),
        mark = xml(&service.mark()),
        program = xml(&service.program),
        arguments = xml(&arguments.join(" ")),
    )
}

/// An argument as programs of Windows read their command line: a backslash counts as such but before a quote.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:\\".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    let (mut quoted, mut backslashes) = ("\"".to_owned(), 0);
    for c in argument.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                quoted.push_str(&"\\".repeat(backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        quoted.push(c);
    }
    quoted + &"\\".repeat(backslashes) + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::daemon::service::examples::awkward;

    #[test]
    fn arguments_are_quoted_as_windows_reads_them() {
        assert_eq!(quoted("--home"), "--home");
        assert_eq!(quoted(r"C:\Users\ada"), r"C:\Users\ada");
        assert_eq!(quoted(r"C:\My Files\"), r#""C:\My Files\\""#);
        assert_eq!(quoted(r#"say "hi""#), r#""say \"hi\"""#);
        assert_eq!(quoted(r#"a\"b"#), r#""a\\\"b""#);
        assert_eq!(quoted(""), "\"\"");
    }

    #[test]
    fn texts_are_written_so_that_xml_has_them_as_they_are() {
        let text = task(&awkward(), Some("DESK\\a&b"));
        assert!(text.contains("<UserId>DESK\\a&amp;b</UserId>"), "{text}");
        assert!(text.contains("<Command>/opt/my programs/100%/repertoire</Command>"), "{text}");
        assert!(text.contains(r#"&lt;&amp;&gt; \"quoted\" $HOME \ 'x'" --user"#), "{text}");
    }
}
