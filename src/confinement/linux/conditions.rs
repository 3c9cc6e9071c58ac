//! What a filter of system calls asks of their arguments, in short.

use std::collections::BTreeMap;

use seccompiler::{BackendError, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

/// By call: it is refused where one of the rules fits, or always where there are none.
pub type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// One that all conditions are met for.
pub fn rule(conditions: &[SeccompCondition]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.to_vec())
}

/// That an argument has this value.
pub fn is(argument: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

/// That it has another.
pub fn is_not(argument: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

/// That these bits of it have this value.
pub fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)
}

/// That a pointer leads somewhere.
pub fn not_null(argument: u8) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)
}

/// That it has this flag.
pub fn has(argument: u8, width: SeccompCmpArgLen, flag: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, width, SeccompCmpOp::MaskedEq(flag), flag)
}
