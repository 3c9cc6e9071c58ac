//! What `doctor` finds in the stores, and building them anew.

use super::report::Report;
use crate::{
    cli::{clock::shown_clock, context::Context, error::CliError, programs::worker_program, sizes},
    domain::ProcedureFilter,
    library::{Examples, Health, History, Library, LibraryError, Open, Rebuilt, open_to_others, set_database_aside},
};

const REBUILD: &str = "`repertoire doctor --rebuild` makes anew what can be, and keeps what is damaged beside it";
const RESTORE: &str = "if you have a backup: `repertoire restore FILE` brings back what it has";
/// Lines for damage of one kind.
const MOST: usize = 20;
/// What was mended earlier and is still told.
const MENDINGS: usize = 5;

fn procedures(count: u64) -> String {
    if count == 1 { "1 procedure".to_owned() } else { format!("{count} procedures") }
}

/// Opens the stores, builds them anew if that is wanted, and says what is wrong with them. What can't be opened is said,
/// too.
pub fn check(context: &Context, rebuild: bool, report: &Report) -> Result<(), CliError> {
    let config = context.config()?;
    let folder = config.stores();
    let mut before = open_to_others(&config.home);
    if folder != config.home {
        before.extend(open_to_others(&folder));
    }
    let opened = open(context);
    let (mut library, mut trouble) = match opened {
        Err(CliError::Library(error)) if rebuild && error.is_broken_database() => {
            anew(context, &error.to_string(), report)?
        }
        Err(CliError::Library(error)) => {
            report.failed("stores", &error);
            return Ok(());
        }
        opened => opened?,
    };
    if rebuild {
        (library, trouble) = rebuilt(context, library, report)?;
    }
    rights(&before, &library, report);
    if let Some(why) = library.read_only() {
        report.note("read only", format_args!("nothing can be written here, what is there can be read: {why}"));
        report.then("make room or give yourself the right to write in the home, if it is to remember more");
    }
    if let Some(error) = &trouble {
        report.failed("history", error);
        return Ok(());
    }
    database(&library, report);
    history(&library, report);
    clock(&library, report);
    match library.taking() {
        Ok(taking) => sizes::show(&taking, context.output),
        Err(error) => report.failed("size", &error),
    }
    Ok(())
}

/// Opens a new database in place of one that is broken.
fn anew(context: &Context, why: &str, report: &Report) -> Result<(Library, Option<LibraryError>), CliError> {
    let aside = set_database_aside(&context.config()?)?;
    report.note("database", format_args!("{why}; it was set aside as {}", aside.display()));
    open(context)
}

/// Opens the stores as far as they can be, and tries what was committed to them and not tried yet.
fn open(context: &Context) -> Result<(Library, Option<LibraryError>), CliError> {
    let (library, trouble) = Library::open_to_mend(context.config()?, context.starters)?;
    Ok((library.trying(Box::new(Examples::at(worker_program()?))), trouble))
}

fn rebuilt(context: &Context, library: Library, report: &Report) -> Result<(Library, Option<LibraryError>), CliError> {
    let is_sound = library.health().is_ok_and(|health| health.integrity == "ok") || library.mend_database()?;
    let broken = match is_sound.then(|| library.rebuild_index()) {
        None => "the check of SQLite finds it damaged".to_owned(),
        Some(Err(error)) if error.is_broken_database() => error.to_string(),
        Some(rebuilt) => return Ok(told(library, &rebuilt?, report)),
    };
    drop(library);
    let (library, _) = anew(context, &broken, report)?;
    let rebuilt = library.rebuild_index()?;
    Ok(told(library, &rebuilt, report))
}

fn told(library: Library, rebuilt: &Rebuilt, report: &Report) -> (Library, Option<LibraryError>) {
    rebuilt.done.iter().for_each(|done| report.note("mended", done));
    report.good("index", format_args!("built anew from the history, {}", procedures(rebuilt.procedures)));
    (library, None)
}

/// Opening a home narrows its rights, as far as it belongs to the user.
fn rights(before: &[Open], library: &Library, report: &Report) {
    let still = library.open_to_others();
    for Open { path, mode } in before {
        let path_shown = path.display();
        if still.iter().any(|open| open.path == *path) {
            report.bad(
                "rights",
                format_args!("others may use `{path_shown}` (mode {mode:04o})"),
                format!("`chmod go= '{path_shown}'` as its owner makes it yours alone"),
            );
        } else {
            report.note(
                "rights",
                format_args!("others could use `{path_shown}` (mode {mode:04o}); it is yours alone now"),
            );
        }
    }
}

fn database(library: &Library, report: &Report) {
    let file = library.database_file();
    match library.health() {
        Err(error) => report.bad("database", &error, REBUILD),
        Ok(Health { schema, integrity, mendings }) => {
            if integrity == "ok" {
                report.good("database", format_args!("{}, schema version {schema}", file.display()));
            } else {
                report.bad("database", format_args!("{}: {integrity}", file.display()), REBUILD);
            }
            for (at, what) in mendings.into_iter().take(MENDINGS) {
                report.note("mended", format_args!("{}: {what}", crate::library::rfc3339(at)));
            }
        }
    }
}

/// A procedure that waits for the clock waits for ever where nobody keeps it.
fn clock(library: &Library, report: &Report) {
    match library.clock() {
        Ok(clock) if clock.procedures == 0 && clock.keepers.is_empty() => {}
        Ok(clock) if clock.procedures > 0 && clock.keepers.is_empty() => {
            report.note("clock", shown_clock(&clock));
            report.then(
                "`repertoire daemon install` has the clock kept always; an MCP client that is open keeps it, too",
            );
        }
        Ok(clock) => report.good("clock", shown_clock(&clock)),
        Err(error) => report.failed("clock", &error),
    }
}

fn history(library: &Library, report: &Report) {
    let folder = library.history_folder();
    match library.list(&ProcedureFilter::default(), 1, 0) {
        Ok((_, count)) => report.good("history", format_args!("{}, {}", folder.display(), procedures(count))),
        Err(error) => report.bad("index", &error, REBUILD),
    }
    if let Some(why) = library.behind().filter(|_| library.read_only().is_none()) {
        report.bad("history", format_args!("the index can't follow it: {why}"), REBUILD);
    }
    match library.check_history() {
        Ok(History { checked, lost, differing }) => {
            for damage in checked.damage.iter().take(MOST) {
                let commit = damage.commit.as_ref().filter(|_| !damage.what.starts_with("commit"));
                let commit = commit.map(|commit| format!(" of commit {commit:.10}")).unwrap_or_default();
                if damage.can_be_mended() {
                    let how = format_args!("{}{commit} can't be read: {}", damage.what, damage.why);
                    report.bad("history", how, REBUILD);
                } else {
                    report.note("lost", format_args!("{}{commit} is not there any more", damage.what));
                    report.then(RESTORE);
                }
            }
            if checked.damage.len() > MOST {
                report.note("history", format_args!("… and {} more", checked.damage.len() - MOST));
            }
            for name in differing.iter().take(MOST) {
                report.bad("index", format_args!("`{name}` is not what the newest commit has"), REBUILD);
            }
            for (name, versions) in lost.iter().take(MOST) {
                let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
                let versions = versions.join(", ");
                report
                    .note("lost", format_args!("`{name}`: what it was in version {versions} is in no store any more"));
                report.then(RESTORE);
            }
        }
        Err(error) => report.bad("history", &error, REBUILD),
    }
    match library.all_broken() {
        Ok(broken) => {
            for (name, broken) in broken {
                report.bad(
                    "procedure",
                    format_args!(
                        "`{name}` stays as it was: `{}` {} (commit {:.10})",
                        broken.file, broken.reason, broken.commit
                    ),
                    format!(
                        "push a good `{}`, or go on from an earlier version with rollback_procedure_code",
                        broken.file
                    ),
                );
            }
        }
        Err(error) => report.bad("index", &error, REBUILD),
    }
}
