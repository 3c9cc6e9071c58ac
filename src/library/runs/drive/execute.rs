//! A whole run: the frames of a procedure and of those that it calls, until it ends, pauses or is stopped.

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::mpsc;

use super::{
    ask::Asked,
    frame::{drive, drive_called},
    perform::Finished,
    tree::Tree,
};
use crate::library::{
    LibraryError,
    runs::{execution::Execution, frame::Frame, journal::record},
};

impl Tree {
    /// Executes `root` from where it stands until the run ends or pauses.
    pub async fn execute(mut self, mut root: Frame) -> Result<Execution, LibraryError> {
        root.is_unheard = self.active.is_unheard;
        loop {
            let finished;
            (root, finished) = self.drive(root).await;
            match finished {
                Finished::Ended(ending) => {
                    return record::ended(&self.resources.journal, &mut root, ending, None).await;
                }
                Finished::Stopped => return self.stopped(root).await,
                Finished::Waits => match self.ask(&mut root).await? {
                    Asked::Decided => {}
                    Asked::Paused(execution) => return Ok(*execution),
                    Asked::Stopped => return self.stopped(root).await,
                },
            }
        }
    }

    /// Drives `root` and the frames that it calls, side by side: nested in one another, a deep tree would need a deep
    /// stack.
    async fn drive(&self, root: Frame) -> (Frame, Finished) {
        let (spawner, mut spawned) = mpsc::unbounded_channel();
        let mut driven = FuturesUnordered::new();
        let mut root = drive(self, spawner.clone(), root);
        let mut parking = std::pin::pin!(self.activity.park_when_quiet());
        loop {
            tokio::select! {
                biased;
                finished = &mut root => return finished,
                Some(called) = spawned.recv() => driven.push(drive_called(self, spawner.clone(), called)),
                Some(()) = driven.next() => {}
                () = &mut parking => {}
            }
        }
    }
}
