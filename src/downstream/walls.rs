//! Walls around servers that are programs. What they are made of is said by whoever makes a [`super::Downstream`]: hosts are
//! judged where those of procedures are.

use std::sync::Arc;

use crate::{
    config::ProgramBounds,
    confinement::{Bounds, Gateway},
};

/// The walls around one program.
pub struct Walls {
    pub bounds: Bounds,
    /// Its way to the network, where that is a proxy; it is served as long as the program lives.
    pub gateway: Option<Arc<dyn Gateway>>,
}

/// Makes them of what the user wants around the server of this name.
pub type MakeWalls = fn(&str, &ProgramBounds) -> Walls;
