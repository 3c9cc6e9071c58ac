//! `repertoire grant`

use std::process::ExitCode;

use super::{context::Context, error::CliError, output::Output};
use crate::{config::Config, domain::Permissions, library::ProcedureRef};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What kind of grant it is. [default: list the grants]
    #[arg(value_enum, requires = "what")]
    kind: Option<Kind>,
    /// What is granted: a command with leading arguments as one word, a folder, a host, or SERVER/TOOL.
    what: Option<String>,
    /// Grant it to one procedure instead of to all.
    #[arg(long = "for", value_name = "PROCEDURE")]
    procedure: Option<String>,
    /// Take the grant back.
    #[arg(long, requires = "kind")]
    revoke: bool,
    /// List the grants.
    #[arg(long, conflicts_with_all = ["kind", "revoke"])]
    list: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    Command,
    Read,
    Write,
    Network,
    Tool,
}

impl Kind {
    fn grant(self, what: String) -> Permissions {
        let mut permissions = Permissions::default();
        match self {
            Self::Command => &mut permissions.commands,
            Self::Read => &mut permissions.read,
            Self::Write => &mut permissions.write,
            Self::Network => &mut permissions.network,
            Self::Tool => &mut permissions.tools,
        }
        .push(what);
        permissions
    }
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let (config, out) = (context.config()?, context.output);
    let (Some(kind), Some(what)) = (arguments.kind, &arguments.what) else {
        list(&config, arguments.procedure.as_deref(), out);
        return Ok(ExitCode::SUCCESS);
    };
    let grant = kind.grant(what.clone());
    if arguments.revoke {
        let procedure = arguments.procedure.as_deref();
        if !config.remove_grants(procedure, &grant)? {
            return Err(CliError::Wrong {
                what: format!("`{what}` is not granted as that {}", place(procedure)),
                hint:
                    "`repertoire grant --list` shows what is; a grant with bounds of its own is taken back in the file"
                        .into(),
            });
        }
        out.line(format_args!("`{what}` is no longer granted {} ({}).", place(procedure), config.file().display()));
        return Ok(ExitCode::SUCCESS);
    }
    // Its name as it is now: a grant for a name that nobody has would be for whoever takes it later.
    let name = |wanted: &String| -> Result<String, CliError> {
        Ok(context.library()?.procedure(&ProcedureRef::from(wanted.as_str()))?.definition.name.to_string())
    };
    let procedure = arguments.procedure.as_ref().map(name).transpose()?;
    config.add_grants(procedure.as_deref(), &grant)?;
    out.line(format_args!("`{what}` is granted {} ({}).", place(procedure.as_deref()), config.file().display()));
    Ok(ExitCode::SUCCESS)
}

fn place(procedure: Option<&str>) -> String {
    procedure.map_or_else(|| "to every procedure".to_owned(), |name| format!("to `{name}`"))
}

/// The grants of one kind.
type Entries = fn(&Permissions) -> &Vec<String>;

fn list(config: &Config, procedure: Option<&str>, out: Output) {
    let for_all = [("every procedure", &config.policy, true)];
    let for_one = config.policy_of.iter().map(|(name, policy)| (name.as_str(), policy, false));
    let all = for_all.into_iter().chain(for_one).filter(|(name, ..)| procedure.is_none_or(|wanted| wanted == *name));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, policy, is_for_all) in all {
        let of_all = |entries: Entries, entry: &String| entries(&config.policy).contains(entry);
        let kinds: [(&str, Entries); 5] = [
            ("command", |policy| &policy.commands),
            ("read", |policy| &policy.read),
            ("write", |policy| &policy.write),
            ("network", |policy| &policy.network),
            ("tool", |policy| &policy.tools),
        ];
        for (kind, entries) in kinds {
            let own = entries(policy).iter().filter(|entry| is_for_all || !of_all(entries, entry));
            rows.extend(own.map(|entry| vec![kind.to_owned(), entry.clone(), name.to_owned()]));
        }
    }
    if rows.is_empty() {
        out.line("Nothing is granted.");
    } else {
        out.table(&["KIND", "GRANT", "FOR"], &rows);
    }
}
