//! What code may call, and what it is granted.

mod channels;
mod files;
mod grants;
mod http;
mod llm;
mod numbers;
mod proxied;
mod rules;
mod tunnelled;
