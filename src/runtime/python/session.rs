//! One program being executed by `CPython`: to the next host call, saved as its journal, restored by executing it again.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    driver,
    journal::{Exchange, Journal, Question, Seeds, differs},
    pool::{Next, Processes},
    process::Process,
    protocol::{Answer, Excess, Order, OrderLimits, Reading, Said},
    writes::Writes,
};
use crate::{
    confinement,
    runtime::{
        Bounds, Budget, Capture, Interpreter, Limit, Limits, MODULE, Program, PythonError, Reply, RuntimeError, Saved,
        Session, Suspension, guarded,
    },
};

/// Host values, as JSON, may be this large on their way out as arguments.
const ARGUMENT_BYTES: usize = 8 * 1024 * 1024;

/// How many modules are imported ahead.
const MOST_IMPORTS: usize = 50;

/// The record of a run says that nothing holds it.
const WITHOUT_WALLS: &str = "the code is executed without walls around it: `confinement` under [policy] is \"none\"\n";

/// A session, and the process that executes its program once it has one.
pub struct PythonSession {
    processes: Processes,
    interpreter: Interpreter,
    budget: Arc<Budget>,
    capture: Capture,
    limits: Limits,
    /// The process and what was said with it; none before the program is started.
    running: Option<Running>,
    /// What starts a process for the next session, until this one's program has computed first.
    next: Option<Next>,
    /// Held while the program computes.
    place: Option<OwnedSemaphorePermit>,
}

struct Running {
    process: Process,
    journal: Journal,
    writes: Writes,
}

impl Running {
    /// What the process says next, unless it is ended for what it wrote.
    async fn hear(&mut self) -> Result<Said, RuntimeError> {
        let heard = tokio::select! {
            biased;
            () = self.writes.exceeded() => return Err(RuntimeError::WriteLimit),
            heard = self.process.hear() => heard,
        };
        heard.map_err(|error| self.writes.or_limit(error))
    }

    async fn say(&mut self, what: &impl Serialize) -> Result<(), RuntimeError> {
        self.process.say(what).await.map_err(|error| self.writes.or_limit(error))
    }
}

/// Ends a process, which takes looking at all that it started, off the async threads.
fn leave(running: Running) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(running))),
        Err(_) => drop(running),
    }
}

/// What the code came to, and what it read of the clock before that.
enum Came {
    Asked { question: Question, suspension: Suspension, reads: Vec<Reading> },
    Over(Suspension),
}

impl Drop for PythonSession {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            leave(running);
        }
    }
}

impl PythonSession {
    /// A session without a process.
    pub fn new(processes: Processes, interpreter: Interpreter, bounds: Bounds<'_>) -> Self {
        let Bounds { mounts: _, rules: _, limits, capture, budget, interpreter: _ } = bounds;
        Self { processes, interpreter, budget, capture, limits, running: None, next: None, place: None }
    }

    /// Has a fresh process begin with the program.
    async fn begin(
        &mut self,
        program: &Program,
        seeds: Option<Seeds>,
        clock: &[Reading],
        replayed: usize,
    ) -> Result<(), RuntimeError> {
        self.take_place().await?;
        let process = if let Some(seeds) = &seeds {
            self.processes.like(&self.interpreter, seeds.hashes, &self.budget).await?
        } else {
            let imports = imports_of(&program.source);
            let (process, next) = self.processes.fresh(&self.interpreter, imports, &self.budget).await?;
            self.next = next;
            process
        };
        let seeds = match seeds {
            Some(seeds) => seeds,
            None => Seeds { hashes: process.hash_seed, random: seed()? },
        };
        let (memory_bytes, file_bytes) = (self.interpreter.memory_bytes, self.interpreter.file_bytes);
        let random = seeds.random.clone();
        let order = Order {
            source: &program.source,
            code_lines: program.code_lines,
            parameters: &program.parameters,
            is_script: program.is_script(),
            seed: &random,
            clock,
            replayed,
            limits: OrderLimits {
                argument_bytes: ARGUMENT_BYTES,
                result_bytes: self.limits.result_bytes,
                memory_bytes,
                file_bytes,
            },
            module: driver::module(),
        };
        let writes = Writes::watch(process.write_meter(&self.interpreter), Arc::clone(&self.budget));
        let mut running = Running { process, journal: Journal::new(&seeds)?, writes };
        guarded(&self.budget, running.say(&order)).await??;
        self.running = Some(running);
        Ok(())
    }

    /// Waits until the program may compute.
    async fn take_place(&mut self) -> Result<(), RuntimeError> {
        if self.place.is_none() {
            let places = Arc::clone(&self.processes.places);
            let place = guarded(&self.budget, places.acquire_owned()).await?;
            self.place = Some(place.map_err(|error| RuntimeError::Unavailable(error.to_string()))?);
        }
        Ok(())
    }

    fn running(&mut self) -> Result<&mut Running, RuntimeError> {
        self.running.as_mut().ok_or_else(|| RuntimeError::Crashed("the program was not started".to_owned()))
    }

    /// Whether the code may write what is there when it has ended.
    fn may_write(&self) -> bool {
        self.interpreter.bounds.as_ref().is_none_or(|bounds| !bounds.write.is_empty())
    }

    /// Tells the driver an answer and writes it down.
    async fn tell(&mut self, answer: Answer) -> Result<(), RuntimeError> {
        self.take_place().await?;
        let budget = Arc::clone(&self.budget);
        let running = self.running()?;
        guarded(&budget, running.say(&answer)).await??;
        running.journal.answer(answer)
    }

    /// Lets the program go on with an answer.
    async fn go_on(&mut self, answer: Answer) -> Result<Suspension, RuntimeError> {
        self.tell(answer).await?;
        self.drive().await
    }

    /// Waits for what the program comes to.
    async fn drive(&mut self) -> Result<Suspension, RuntimeError> {
        let came = self.next(true).await?;
        // While the host has the word, others may compute.
        self.place = None;
        if let Some(next) = self.next.take() {
            next.start();
        }
        match came {
            Came::Asked { question, suspension, reads } => {
                self.running()?.journal.waits_at = Some(Exchange { question, answer: None, reads });
                Ok(suspension)
            }
            Came::Over(suspension) => self.cleared(suspension).await,
        }
    }

    /// How the program ended, once nothing of it is left. What it left for other programs to execute is a failure.
    async fn cleared(&mut self, suspension: Suspension) -> Result<Suspension, RuntimeError> {
        let Some(running) = self.running.take() else { return Ok(suspension) };
        // Where it could leave nothing, nobody has to wait for its end.
        if !self.may_write() {
            leave(running);
            return Ok(suspension);
        }
        // Its process is there until it is ended here, so that all of what it wrote is known.
        running.writes.settle().await?;
        let left = running.process.clear_up().await;
        if left.is_empty() {
            return Ok(suspension);
        }
        let left: Vec<String> = left.iter().map(|path| format!("`{}`", path.display())).collect();
        let message = format!(
            "the code left what makes other programs run code: {}. It was set aside beside its place, under a name that ends in \
             `.set-aside`",
            left.join(", ")
        );
        Ok(Suspension::Raised { error: PythonError::new("PermissionError", message), limit: None })
    }

    /// What the program comes to next. What it prints is kept, if `is_new`.
    async fn next(&mut self, is_new: bool) -> Result<Came, RuntimeError> {
        let (budget, capture, limits) = (Arc::clone(&self.budget), self.capture.clone(), self.limits);
        loop {
            match guarded(&budget, self.running()?.hear()).await?? {
                Said::Out { text } if is_new => capture.push(&text),
                Said::Ready { .. } | Said::Out { .. } => {}
                said => return came_to(said, limits.result_bytes),
            }
        }
    }

    /// Executes the program again, with the answers that it got before.
    async fn replay(&mut self, exchanges: Vec<Exchange>) -> Result<(), RuntimeError> {
        for (index, before) in exchanges.into_iter().enumerate() {
            let (question, now) = match self.next(false).await? {
                Came::Asked { question, .. } => (Some(question), true),
                Came::Over(_) => (None, false),
            };
            if !now || question.as_ref() != Some(&before.question) {
                return Err(differs(index + 1, &before.question, question.as_ref()));
            }
            let Exchange { question, answer, reads } = before;
            self.running()?.journal.waits_at = Some(Exchange { question, answer: None, reads });
            if let Some(answer) = answer {
                self.tell(answer).await?;
            }
        }
        self.place = None;
        Ok(())
    }
}

fn came_to(said: Said, result_bytes: usize) -> Result<Came, RuntimeError> {
    Ok(match said {
        Said::Call { id, function, args, kwargs, offset, awaited, reads } => {
            let question = Question::call(&function, &args, &kwargs);
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            let suspension = Suspension::Call { function, args, kwargs, offset, call_id: id, is_awaited: awaited };
            Came::Asked { question, suspension, reads }
        }
        Said::Wait { calls, reads } => {
            Came::Asked { question: Question::Wait(calls.clone()), suspension: Suspension::Wait { calls }, reads }
        }
        Said::End { value } => Came::Over(Suspension::Ended(checked(value, result_bytes)?)),
        Said::Raise { kind, message, traceback, memory } => Came::Over(Suspension::Raised {
            error: PythonError { kind, message, traceback },
            limit: memory.then_some(Limit::Memory),
        }),
        Said::Refused { why: Excess::Size, message } => return Err(RuntimeError::Result(message)),
        Said::Refused { why: Excess::Depth, message } => return Err(RuntimeError::Nesting(message)),
        Said::Ready { .. } | Said::Out { .. } => return Err(RuntimeError::Crashed("it said nothing new".to_owned())),
    })
}

/// The modules that code imports as soon as it is executed, as far as its lines show them.
fn imports_of(source: &str) -> Vec<String> {
    let module = |line: &str| {
        let rest = line.strip_prefix("import ").or_else(|| line.strip_prefix("from "))?;
        let name = rest.split([' ', ',']).next().unwrap_or_default().trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
        (is_name && !name.starts_with('.') && name != MODULE).then(|| name.to_owned())
    };
    source.lines().filter_map(module).take(MOST_IMPORTS).collect()
}

/// A result as it may be kept. The driver has measured it; a process that lies is not believed.
fn checked(mut value: Value, result_bytes: usize) -> Result<Value, RuntimeError> {
    crate::domain::json::settle(&mut value).map_err(|error| RuntimeError::Result(error.to_string()))?;
    // What counts is counted in the process as well, a little otherwise.
    if value.to_string().len() > result_bytes.saturating_mul(2) {
        return Err(RuntimeError::Result(format!("result is larger than {} KiB as JSON", result_bytes.div_ceil(1024))));
    }
    Ok(value)
}

fn seed() -> Result<String, RuntimeError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| RuntimeError::Unavailable(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Session for PythonSession {
    fn start<'a>(&'a mut self, program: &'a Program) -> BoxFuture<'a, Result<Suspension, RuntimeError>> {
        Box::pin(async move {
            self.begin(program, None, &[], 0).await?;
            if self.interpreter.bounds.is_none() {
                tracing::warn!("a `python` procedure is executed without walls, as `confinement` under [policy] says");
                self.capture.push(WITHOUT_WALLS);
            } else if let Some(remark) = confinement::remark(confinement::known_means()) {
                self.capture.push(&format!("the code is executed {remark}\n"));
            }
            self.drive().await
        })
    }

    fn answer(&mut self, reply: Reply) -> BoxFuture<'_, Result<Suspension, RuntimeError>> {
        Box::pin(self.go_on(reply.into()))
    }

    fn promise(&mut self) -> BoxFuture<'_, Result<Suspension, RuntimeError>> {
        Box::pin(self.go_on(Answer::Promise))
    }

    fn keep_promises(&mut self, replies: Vec<(u32, Reply)>) -> BoxFuture<'_, Result<Suspension, RuntimeError>> {
        let kept = replies.into_iter().map(|(call, reply)| (call, reply.into())).collect();
        Box::pin(self.go_on(Answer::Kept(kept)))
    }

    fn save(&mut self, known: usize) -> BoxFuture<'_, Result<Saved, RuntimeError>> {
        Box::pin(async move {
            let may_write = self.may_write();
            let running = self.running()?;
            // It may be given up here, and what is left for the run is saved with it.
            if may_write {
                running.writes.settle().await?;
            }
            running.journal.save(known)
        })
    }

    fn restore<'a>(&'a mut self, program: &'a Program, saved: Vec<u8>) -> BoxFuture<'a, Result<(), RuntimeError>> {
        Box::pin(async move {
            let (seeds, exchanges) = Journal::read(&saved)?;
            let clock: Vec<Reading> = exchanges.iter().flat_map(|exchange| exchange.reads.iter().copied()).collect();
            self.begin(program, Some(seeds), &clock, exchanges.len().saturating_sub(1)).await?;
            self.replay(exchanges).await?;
            let lines = String::from_utf8(saved).map_err(|error| RuntimeError::Crashed(error.to_string()))?;
            self.running()?.journal.replayed(lines);
            Ok(())
        })
    }

    fn is_dear(&self) -> bool {
        true
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, ()> {
        // What was used once is not used again.
        Box::pin(async move { drop(self) })
    }
}
