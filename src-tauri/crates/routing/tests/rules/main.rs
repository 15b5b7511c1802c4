//! The routing rules over the public API: one table, one state, one request.

#[cfg(test)]
mod matching;
#[cfg(test)]
mod needs;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod pools;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod split;
#[cfg(test)]
mod switched;
