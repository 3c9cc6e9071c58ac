//! The property list for launchd.

use super::service::{Service, xml};

/// The text of an agent that is called `label`; its log goes to `log`.
pub fn agent(service: &Service, label: &str, log: &str) -> String {
    let words = std::iter::once(&service.program).chain(&service.arguments);
    let words: String = words.map(|word| format!("    <string>{}</string>\n", xml(word))).collect();
    let path = service.path.as_ref().map_or_else(String::new, |path| {
        format!(
            "  <key>EnvironmentVariables</key>\n  <dict>\n    <key>PATH</key>\n    <string>{}</string>\n  </dict>\n",
            xml(path)
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <!-- {mark} -->\n\
         <plist version=\"1.0\">\n\
         <dict>\n\
         \x20 <key>Label</key>\n\
         \x20 <string>{label}</string>\n\
         \x20 <key>ProgramArguments</key>\n\
         \x20 <array>\n\
         {words}\
         \x20 </array>\n\
         {path}\
         \x20 <key>RunAtLoad</key>\n\
         \x20 <true/>\n\
         \x20 <key>KeepAlive</key>\n\
         \x20 <dict>\n\
         \x20   <key>SuccessfulExit</key>\n\
         \x20   <false/>\n\
         \x20 </dict>\n\
         \x20 <key>ThrottleInterval</key>\n\
         \x20 <integer>30</integer>\n\
         \x20 <key>StandardErrorPath</key>\n\
         \x20 <string>{log}</string>\n\
         </dict>\n\
         </plist>\n",
        mark = service.mark(),
        label = xml(label),
        log = xml(log),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::daemon::service::examples::awkward;

    #[test]
    fn texts_are_written_so_that_xml_has_them_as_they_are() {
        let text = agent(&awkward(), "repertoire", "/Users/ada/Library/Logs/repertoire.log");
        assert!(text.contains("<string>/home/ü b/50% &lt;&amp;&gt; \"quoted\" $HOME \\ 'x'</string>"), "{text}");
        assert!(text.contains("<key>Label</key>\n  <string>repertoire</string>"), "{text}");
    }
}
