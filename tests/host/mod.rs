//! What code may call, and what it is granted.

mod channels;
mod grants;
mod http;
mod llm;
