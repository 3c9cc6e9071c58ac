//! What the two stages agree on.

/// The first argument of the first process of the namespaces; its overseer's number, the private folder, and the program with
/// its arguments follow.
pub const FIRST: &str = "launch-within";
/// The first argument of what becomes the program where there are no namespaces; the same follows.
pub const ALONE: &str = "launch-alone";
/// What a stage ends with after saying in the private folder why.
pub const TOLD: u8 = 125;
/// What it ends with where it was not called as it should be.
pub const USAGE: u8 = 64;
/// The variables that name the folder for temporary files.
pub const TEMPORARY_VARIABLES: [&str; 3] = ["TMPDIR", "TEMP", "TMP"];
