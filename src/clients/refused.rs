//! Why a file of a client is left as it is.

/// What is in the way. Which file it is, is for whoever opened it to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It can't be read as what it should be.
    #[error("it is no valid {format}: {why}, in line {line}")]
    Invalid {
        /// The format that it should have.
        format: &'static str,
        /// What the parser says.
        why: String,
        /// Where, from 1.
        line: usize,
    },
    /// It is no UTF-8.
    #[error("it is no UTF-8 text")]
    Encoding,
    /// Something else stands where entries go.
    #[error("`{0}` in it is no {1}")]
    Shape(String, &'static str),
    /// An edit would have changed more than it should.
    #[error("`{0}` in it is written in a way that can't be changed without changing more")]
    Unusual(String),
}
