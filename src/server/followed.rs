//! The resources that a client follows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::resources;
use crate::library::Services;

/// More than a client follows that means well.
const MOST_FOLLOWED: usize = 1000;

/// The resources that a client follows, each with what showed its state when it was last looked at.
#[derive(Clone, Default)]
pub struct Followed(Arc<Mutex<BTreeMap<String, Option<String>>>>);

impl Followed {
    /// Follows a resource from now on; `false` where it follows too many.
    pub async fn add(&self, services: &Services, uri: String) -> bool {
        let stamp = resources::stamp(services, &uri).await;
        let mut followed = self.lock();
        let has_room = followed.len() < MOST_FOLLOWED || followed.contains_key(&uri);
        if has_room {
            followed.insert(uri, stamp);
        }
        has_room
    }

    /// Follows it no more.
    pub fn remove(&self, uri: &str) {
        self.lock().remove(uri);
    }

    /// Those that changed since they were last looked at.
    pub async fn changed(&self, services: &Services) -> Vec<String> {
        let before = self.lock().clone();
        let mut changed = Vec::new();
        for (uri, stamp) in before {
            let now = resources::stamp(services, &uri).await;
            if now != stamp {
                if let Some(kept) = self.lock().get_mut(&uri) {
                    *kept = now;
                }
                changed.push(uri);
            }
        }
        changed
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
