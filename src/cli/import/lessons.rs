//! `repertoire import --lessons`

use std::{fs, path::Path, process::ExitCode};

use serde_json::Value;

use crate::{
    cli::{
        context::Context,
        error::CliError,
        output::{DIM, printable, short},
        programs::worker_program,
    },
    domain::learning::telling::{Told, Verdict},
    library::{Concluded, LibraryError, MOST_LESSONS, Services, Submission},
};

const MAX_SHOWN: usize = 60;

/// Takes in lessons, a line of JSON each: a text, or an object as `submit_lessons` takes it. What can't be read is named with
/// its line, and the others are taken in all the same.
pub fn run(file: &Path, is_dry: bool, context: &Context) -> Result<ExitCode, CliError> {
    let out = context.output;
    let text = fs::read_to_string(file).map_err(|error| {
        CliError::Library(LibraryError::invalid_with_hint(
            format!("`{}` can't be read: {error}", file.display()),
            "name a file with a lesson of JSON in each line",
        ))
    })?;
    let (mut lessons, mut refused) = (Vec::new(), 0);
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let read = serde_json::from_str::<Value>(line).map_err(|error| error.to_string()).and_then(Told::read);
        match read {
            Ok(told) => lessons.push(told),
            Err(why) => {
                refused += 1;
                out.error(&format!("{}, line {number}: {why}", file.display()), None);
            }
        }
    }
    let ending = if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if is_dry || lessons.is_empty() {
        out.line(format_args!("{} lessons can be taken in, {refused} can't be read.", lessons.len()));
        return Ok(ending);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let services = runtime.block_on(Services::open(context.config()?, context.starters, worker_program()?))?;
    let session = file.file_stem().map(|name| name.to_string_lossy().into_owned());
    let (mut total, mut made) = (0, 0);
    for part in lessons.chunks(MOST_LESSONS) {
        let submission = Submission { lessons: part.to_vec(), session: session.clone(), context: None };
        let concluded = runtime.block_on(services.submit_lessons(submission))?;
        for (told, concluded) in part.iter().zip(concluded) {
            total += 1;
            made += usize::from(concluded.verdict == Verdict::Candidate);
            out.line(line(told, &concluded));
        }
    }
    runtime.block_on(services.engine().shut_down());
    out.line(format_args!("{DIM}{made} of {total} lessons became candidates (`repertoire review`).{DIM:#}"));
    Ok(ending)
}

fn line(told: &Told, concluded: &Concluded) -> String {
    let said = printable(&short(&told.words(), MAX_SHOWN));
    let name = concluded.procedure.as_ref().map(|(_, name)| printable(name)).unwrap_or_default();
    match (concluded.verdict, concluded.candidate_id) {
        (Verdict::Candidate, Some(id)) => format!("candidate {id}: {said}"),
        (Verdict::Twin, _) => format!("said by `{name}`: {said}"),
        (verdict, _) => format!("{}: {said}", verdict.as_str().replace('_', " ")),
    }
}
