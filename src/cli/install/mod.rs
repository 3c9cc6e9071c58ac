//! `repertoire install`

mod settings;
mod write_plugin;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::builder::PossibleValuesParser;

use self::settings::{Settings, Target};
use super::{asking, context::Context, error::CliError, output::Output, programs::this_program};
use crate::{
    clients::{
        edit::Format,
        plugin,
        table::{CLIENTS, Client, Place, Places, Start, System},
    },
    config::{Config, folders},
    library::Starters,
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The client. Without one, those that are there are found, and you are asked.
    #[arg(value_parser = PossibleValuesParser::new(CLIENTS.iter().map(|client| client.name)))]
    client: Option<String>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Take out what was put in; all else stays, to the byte.
    #[arg(long)]
    uninstall: bool,
    /// Whose settings: yours, or those of the project in this folder.
    #[arg(long, value_enum, default_value_t)]
    scope: Scope,
    /// The hooks as well: the client is told what is known for a prompt, and what is done is learned from.
    #[arg(long, conflicts_with = "no_hooks")]
    hooks: bool,
    /// No hooks, and no question about them.
    #[arg(long)]
    no_hooks: bool,
    /// Write a plugin of Claude Code into this folder instead: server, hooks and a skill.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["uninstall", "hooks", "no_hooks", "scope"])]
    plugin: Option<PathBuf>,
    /// What `serve` is told, after `--`: for example `-- --toolsets procedures,code`.
    #[arg(last = true, value_name = "SERVE_ARGUMENTS")]
    serve: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Scope {
    #[default]
    User,
    Project,
}

/// What is put where.
struct Setup<'a> {
    arguments: &'a Arguments,
    start: Start,
    places: Places<'a>,
    project: PathBuf,
    out: Output,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let config = context.config()?;
    let unknown = || CliError::Other("the system does not say where your files are".to_owned());
    let places = Places {
        system: System::this(),
        home: folders::user_home().ok_or_else(unknown)?,
        settings: folders::settings().ok_or_else(unknown)?,
        variable: &folders::named_by,
    };
    let project = std::env::current_dir().map_err(CliError::io("the folder of the project is not known"))?;
    let start = start(arguments, context, &config)?;
    let setup = Setup { arguments, start, places, project, out: context.output };
    let named = arguments.client.as_deref().and_then(Client::named);
    if let Some(folder) = &arguments.plugin {
        let Some(client) = named.filter(|client| client.name == "claude-code") else {
            return Err(CliError::Wrong {
                what: "plugins are for Claude Code".to_owned(),
                hint: format!("`repertoire install claude-code --plugin {}`", folder.display()),
            });
        };
        let files = plugin::files(client, &setup.start, setup.places.system);
        return write_plugin::write(folder, &files, arguments.dry_run, context.output);
    }
    let clients = match named {
        Some(client) => vec![client],
        None => setup.choose()?,
    };
    let mut settings = Settings::open(&config.home, arguments.dry_run, context.output);
    for client in clients {
        setup.connect(client, &mut settings)?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Setup<'_> {
    /// Asks which of the clients that are there; without a terminal, says which these are.
    fn choose(&self) -> Result<Vec<&'static Client>, CliError> {
        let there: Vec<&Client> = CLIENTS.iter().filter(|client| client.is_there(&self.places)).collect();
        if there.is_empty() {
            let names: Vec<&str> = CLIENTS.iter().map(|client| client.name).collect();
            return Err(CliError::Wrong {
                what: "no client was found here".to_owned(),
                hint: format!("name one: {}", names.join(", ")),
            });
        }
        if !asking::is_terminal() {
            self.out.line("These clients are here; `repertoire install CLIENT` connects one:");
            let rows = there.iter().map(|client| {
                vec![
                    client.name.to_owned(),
                    client.title.to_owned(),
                    client.user.at(&self.places).display().to_string(),
                ]
            });
            self.out.table(&["client", "", "settings"], &rows.collect::<Vec<_>>());
            return Ok(Vec::new());
        }
        let verb = if self.arguments.uninstall { "Disconnect" } else { "Connect" };
        let mut chosen = Vec::new();
        for client in there {
            self.out.line(format_args!("{verb} {} ({})?", client.title, client.user.at(&self.places).display()));
            if asking::yes("y or n", self.out)? {
                chosen.push(client);
            }
        }
        Ok(chosen)
    }

    fn connect(&self, client: &Client, settings: &mut Settings) -> Result<(), CliError> {
        let is_uninstall = self.arguments.uninstall;
        let server = Target {
            file: self.file(client, &client.user, client.project)?,
            format: client.format,
            changes: client.server(&self.start),
        };
        let hooks = self.hooks_target(client);
        if hooks.is_none() && self.arguments.hooks {
            return Err(CliError::Wrong {
                what: format!("{} has no hooks that Repertoire knows", client.title),
                hint: "leave `--hooks` out".to_owned(),
            });
        }
        let (changed, hooks_changed) = if is_uninstall {
            // The last first: folders that were made for the server are empty only then.
            let hooks = hooks.filter(|_| !self.arguments.no_hooks);
            let hooks_changed = self.change_hooks(client, hooks.as_ref(), settings)?;
            (settings.change(client.title, &server, true)?, hooks_changed)
        } else {
            let changed = settings.change(client.title, &server, false)?;
            let hooks = match hooks {
                Some(hooks) => self.wants_hooks(client, &hooks)?.then_some(hooks),
                None => None,
            };
            (changed, self.change_hooks(client, hooks.as_ref(), settings)?)
        };
        if self.arguments.dry_run || is_uninstall {
            return Ok(());
        }
        if changed {
            self.out.line(format_args!("{}: {}.", client.title, client.then));
        }
        let then = client.hooks.as_ref().and_then(|hooks| hooks.then).filter(|_| hooks_changed);
        if let Some(then) = then {
            self.out.line(format_args!("{}: {then}.", client.title));
        }
        Ok(())
    }

    fn change_hooks(&self, client: &Client, hooks: Option<&Target>, settings: &mut Settings) -> Result<bool, CliError> {
        let title = format!("{}, hooks", client.title);
        hooks.map_or(Ok(false), |hooks| settings.change(&title, hooks, self.arguments.uninstall))
    }

    fn file(&self, client: &Client, user: &Place, project: Option<&str>) -> Result<PathBuf, CliError> {
        match (self.arguments.scope, project) {
            (Scope::User, _) => Ok(user.at(&self.places)),
            (Scope::Project, Some(path)) => Ok(self.project.join(path)),
            (Scope::Project, None) => Err(CliError::Wrong {
                what: format!("{} has no settings of projects", client.title),
                hint: "leave `--scope project` out".to_owned(),
            }),
        }
    }

    fn hooks_target(&self, client: &Client) -> Option<Target> {
        let hooks = client.hooks.as_ref()?;
        let file = self.file(client, &hooks.user, Some(hooks.project)).ok()?;
        Some(Target { file, format: Format::Json, changes: client.hooks(&self.start, self.places.system) })
    }

    fn wants_hooks(&self, client: &Client, hooks: &Target) -> Result<bool, CliError> {
        if self.arguments.hooks || self.arguments.no_hooks {
            return Ok(self.arguments.hooks);
        }
        if hooks.is_done() {
            return Ok(true);
        }
        let what = "tell it what is known for a prompt, and learn from what is done";
        if self.arguments.dry_run || !asking::is_terminal() {
            self.out.line(format_args!("With `--hooks`, hooks of {} {what}.", client.title));
            return Ok(false);
        }
        self.out.line(format_args!("Hooks of {} can {what} ({}). Put them in?", client.title, hooks.file.display()));
        asking::yes("y or n", self.out)
    }
}

/// How clients start this program: with the flags that this process was given.
fn start(arguments: &Arguments, context: &Context, config: &Config) -> Result<Start, CliError> {
    let text = |path: &Path| {
        let unwritable = || CliError::Other(format!("settings can't hold the path `{}`", path.display()));
        path.to_str().map(str::to_owned).ok_or_else(unwritable)
    };
    let mut flags = Vec::new();
    // A client does not have the environment of this terminal.
    if context.start.home.is_some() || folders::named_by("REPERTOIRE_HOME").is_some() {
        flags.extend(["--home".to_owned(), text(&config.home)?]);
    }
    let named = [("--user", &context.start.user), ("--tenant", &context.start.tenant)];
    for (flag, value) in named {
        flags.extend(value.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    if context.starters == Starters::Skip {
        flags.push("--no-starters".to_owned());
    }
    Ok(Start { program: text(&program()?)?, flags, serve: arguments.serve.clone() })
}

/// The path of this program that stays when it is upgraded: the one in the search path, where that leads here.
fn program() -> Result<PathBuf, CliError> {
    let this = this_program()?;
    let real = |path: &Path| path.canonicalize().ok();
    let name = format!("repertoire{}", std::env::consts::EXE_SUFFIX);
    let found =
        folders::of_programs().into_iter().filter(|folder| folder.is_absolute()).map(|folder| folder.join(&name));
    let same = found.into_iter().find(|path| real(path).is_some() && real(path) == real(&this));
    Ok(same.unwrap_or(this))
}
