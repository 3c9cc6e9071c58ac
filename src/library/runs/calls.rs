//! What the code calls: numbered, promised, answered at once, or handed to the state machine.

use serde_json::{Map, Value};

use super::{
    drive::{Drive, Next},
    frame::PendingCall,
    state::{Event, Safety, Sequence},
    tree::Stop,
};
use crate::{
    domain::Nature,
    host,
    runtime::monty::{PythonError, Reply, SLEEP},
};

impl Drive<'_, '_> {
    /// The code makes a host call.
    pub async fn host_call(
        &mut self,
        function: String,
        args: Vec<Value>,
        kwargs: Map<String, Value>,
        at: (u32, usize),
        is_awaited: bool,
    ) -> Result<Next, Stop> {
        // Sleeping asks nothing of anybody.
        if function != SLEEP && !self.tree.budget.take_call() {
            let most = self.tree.config.limits.host_calls;
            let message =
                format!("the run made more than {most} host calls (`host_calls` under [limits] in config.toml)");
            return Err(Stop::Limit(PythonError::new("HostCallLimit", message)));
        }
        let (arguments, refusal) = match host::named_arguments(&function, args, kwargs) {
            Ok(arguments) => (arguments, None),
            Err(error) => (Map::new(), Some(Reply::Raise(error))),
        };
        // What is refused does nothing.
        let nature = match refusal {
            None => host::nature(&function, &arguments, &self.tree.config),
            Some(_) => Nature::Immediate,
        };
        let is_promised = is_awaited || u32::try_from(at.1).is_ok_and(|offset| self.frame.deferrable.contains(&offset));
        let mut call = self.frame.call(function, arguments, Safety::from(nature), at);
        call.reply = refusal;
        if is_promised {
            self.frame.deferred.push(call);
            return self.go_on_with(None).await;
        }
        if nature != Nature::Immediate {
            self.frame.is_direct = true;
            let sequence = call.sequence;
            return self.waits(vec![call], vec![sequence]);
        }
        // Nothing that outlives the run: after a crash the code does it again, and gets the same.
        let reply = match call.reply.take() {
            Some(reply) => reply,
            None => self.perform_now(&call).await,
        };
        let entry = self.frame.entry(&call, &reply);
        self.frame.unwritten.push((call.sequence, entry));
        self.tree.note_answers(1);
        self.go_on_with(Some(reply)).await
    }

    /// The code waits for promises.
    pub fn gathered(&mut self, calls: &[u32]) -> Result<Next, Stop> {
        let is_awaited = |call: &mut PendingCall| calls.contains(&call.call_id);
        let new: Vec<PendingCall> = self.frame.deferred.extract_if(.., is_awaited).collect();
        let known = self.frame.waiting.iter().filter(|call| calls.contains(&call.call_id));
        let awaited: Vec<Sequence> = known.chain(&new).map(|call| call.sequence).collect();
        if awaited.is_empty() {
            let error = PythonError::new("RuntimeError", "the code waits for something that never comes");
            return Err(Stop::Limit(error));
        }
        self.frame.is_direct = false;
        self.waits(new, awaited)
    }

    fn waits(&mut self, calls: Vec<PendingCall>, awaited: Vec<Sequence>) -> Result<Next, Stop> {
        let new = calls.iter().map(|call| (call.sequence, call.safety)).collect();
        self.frame.waiting.extend(calls);
        self.tree.note_progress(&self.frame);
        Ok(Next::Effects(self.on(Event::Waits { new, awaited })?))
    }
}
