//! The `[retention]` section: how long what happened is kept, and how much of it.

use serde::Deserialize;

/// How long something is kept, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// What is older is removed; 0 keeps it for ever.
    pub max_age_days: u32,
    /// While all of it takes more than this, in MiB, the oldest is removed; 0 sets no limit.
    pub max_mib: u32,
}

/// What is kept of each kind of data that would grow for ever. Checkpoints have a section of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Section")]
pub struct Retention {
    /// Runs that are over, with their host calls and checkpoints.
    pub runs: Keep,
    /// How runs and workflows ended.
    pub outcomes: Keep,
    /// Items of the inbox that were done with.
    pub inbox: Keep,
}

impl Default for Keep {
    fn default() -> Self {
        Self { max_age_days: 90, max_mib: 512 }
    }
}

/// The section as it is written: for all kinds, and for those that have it otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Section {
    max_age_days: Option<u32>,
    max_mib: Option<u32>,
    runs: Part,
    outcomes: Part,
    inbox: Part,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Part {
    max_age_days: Option<u32>,
    max_mib: Option<u32>,
}

impl Part {
    fn or(&self, all: Keep) -> Keep {
        Keep {
            max_age_days: self.max_age_days.unwrap_or(all.max_age_days),
            max_mib: self.max_mib.unwrap_or(all.max_mib),
        }
    }
}

impl From<Section> for Retention {
    fn from(Section { max_age_days, max_mib, runs, outcomes, inbox }: Section) -> Self {
        let all = Part { max_age_days, max_mib }.or(Keep::default());
        Self { runs: runs.or(all), outcomes: outcomes.or(all), inbox: inbox.or(all) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Retention {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_kind_may_have_it_otherwise_than_the_others() {
        assert_eq!(parse(""), Retention::default());
        let retention = parse("max_age_days = 7\nruns = { max_mib = 10 }\n[inbox]\nmax_age_days = 0\n");
        assert_eq!(retention.runs, Keep { max_age_days: 7, max_mib: 10 });
        assert_eq!(retention.outcomes, Keep { max_age_days: 7, max_mib: 512 });
        assert_eq!(retention.inbox, Keep { max_age_days: 0, max_mib: 512 });
    }

    #[test]
    fn a_mistyped_kind_is_refused() {
        assert!(toml::from_str::<Retention>("run = { max_mib = 10 }").is_err());
    }
}
