//! Words by which the rules tell what a sentence is: an instruction, a condition, a reason, a failure that passes.

/// Verbs that a sentence which says what to do begins with.
pub const ORDERS: &str = " abort add adjust alert align allow always amend analyse analyze annotate answer append apply archive ask \
    assert assign attach audit authorise authorize automate avoid back batch begin bind block break build bump bundle bypass cache \
    call cancel cap capture catch change check choose chunk cite clean clear clone close collect combine commit compare compile \
    compress compute configure confirm connect convert copy cover create customise cut debounce debug declare deduplicate defer \
    define delete deny deploy derive describe detect disable discard document don't don’t download drain drop dump duplicate \
    edit embed emit enable encode encrypt enforce ensure erase escape evaluate evict exclude execute expand export expose extend \
    extract fall feed fetch fill filter find fit fix flush follow force format forward free freeze gather generate give group \
    guard handle hash have hold ignore implement import include increase index initialise inject inline inspect install invoke \
    isolate join keep kill label launch leave let limit link lint list load lock log look lower make mark mask match measure \
    merge migrate mind mirror mock monitor mount move name narrow never normalise normalize note notify omit open order override \
    pad paginate parse pass paste patch pause pick pin ping pipe place plan point poll pool populate prefer prefix prepare \
    prevent print profile protect provide provision prune publish pull purge push put query queue quote raise read rebase rebuild \
    record recreate redact redirect reduce refer refresh register reindex reinstall release reload remember remove rename \
    render renew repeat replace report reproduce request require rerank rerun reserve reset resolve restart restore restrict \
    retain retry return reuse revert review revoke rewrite roll rotate route run sample sanitise save scale schedule scope \
    search seed select send separate serialise serve set share shorten show shrink sign simulate skip sort specify split squash \
    stage start stash state stick stop store stratify stream strip stub submit subscribe supply suppress swap switch sync tag \
    take tell terminate test throttle tidy time track translate trap treat trim trust try tune turn type unset unwrap update \
    upgrade upload use validate vary verify version wait warm warn watch whitelist wipe wrap write ";

/// Words that say that something has to be.
pub const NEEDS: [&str; 17] = [
    "should",
    "must",
    "ought",
    "has to",
    "have to",
    "needs to",
    "need to",
    "needs",
    "requires",
    "require",
    "required",
    "belong",
    "belongs",
    "deserve",
    "shouldn't",
    "mustn't",
    "demand",
];

/// What comes between two parts of a sentence of which one is the remedy.
pub const REMEDIES: [&str; 32] = [
    "instead of",
    "rather than",
    "unless",
    "until",
    "fixed by",
    "solved by",
    "solved with",
    "resolved by",
    "avoided by",
    "avoided with",
    "avoided through",
    "prevented by",
    "prevented through",
    "cured by",
    "cured through",
    "handled by",
    "handled safely by",
    "works after",
    "worked after",
    "works with",
    "works better",
    "works when",
    "helps",
    "helped",
    "fix is",
    "fix was",
    "trick is",
    "solution is",
    "solution was",
    "the way to",
    "best by",
    "in favour of",
];

/// What a condition begins with.
pub const CONDITIONS: [&str; 19] = [
    "when ",
    "whenever ",
    "if ",
    "before ",
    "after ",
    "once ",
    "to ",
    "for ",
    "while ",
    "until ",
    "in case ",
    "as soon as ",
    "prior to ",
    "during ",
    "on ",
    "in ",
    "with ",
    "where ",
    "since ",
];

/// What a reason begins with.
pub const REASONS: [&str; 9] =
    [" because ", ", since ", ", as ", " otherwise ", ", or else ", " so that ", ", which ", "; otherwise", " due to "];

/// Failures of the environment that pass by themselves, or that a machine has and others have not.
pub const PASSING: [&str; 47] = [
    "timed out",
    "time-out",
    "timeout",
    "time out",
    "rate limit",
    "rate-limit",
    "ratelimit",
    "too many requests",
    " 429",
    " 502",
    " 503",
    " 504",
    "overloaded",
    "quota",
    "throttled",
    "econnrefused",
    "econnreset",
    "etimedout",
    "enotfound",
    "eai_again",
    "connection refused",
    "connection reset",
    "no network",
    "network is down",
    "network was down",
    "network is unreachable",
    "network unreachable",
    "no internet",
    "offline",
    "dns",
    "could not resolve host",
    "temporarily unavailable",
    "temporary failure",
    "service unavailable",
    "is down",
    "was down",
    "outage",
    "command not found",
    "not installed",
    "no such command",
    "is missing on this machine",
    "not on the path",
    "not in path",
    "no space left",
    "out of memory today",
    "proxy error",
    "unable to connect",
];

/// What is said of a tool that somebody gave up on.
pub const GIVING_UP: [&str; 33] = [
    "does not work",
    "doesn't work",
    "do not work",
    "don't work",
    "did not work",
    "didn't work",
    "is broken",
    "is unusable",
    "is useless",
    "is unreliable",
    "not reliable",
    "cannot be used",
    "can't be used",
    "can not be used",
    "don't use",
    "do not use",
    "never use",
    "avoid using",
    "avoid ",
    "stop using",
    "is not available",
    "isn't available",
    "unavailable",
    "not supported",
    "always fails",
    "always times out",
    "keeps failing",
    "fails",
    "failed",
    "not work",
    "no longer works",
    "can't be trusted",
    "gave up",
];

/// What somebody who knows how to deal with a passing failure says to do.
pub const DEALING: [&str; 35] = [
    "retry",
    "try again",
    "repeat",
    "back off",
    "backoff",
    "wait",
    "increase",
    "raise",
    "set ",
    "install it",
    ", install",
    "install `",
    "add ",
    "configure",
    "cache",
    "jitter",
    "queue",
    "pool",
    "limit the",
    "lower ",
    "reduce",
    "restart",
    "export",
    "switch on",
    "enable",
    "pass ",
    "run `",
    "start ",
    "check that",
    "look ",
    "circuit",
    "at growing intervals",
    "alert",
    "make ",
    "give ",
];
