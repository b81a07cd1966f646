//! What a check of one image found: the model that it is checked against ([`candidate`]), the check itself ([`check`]), its
//! report ([`check_report`]), and the record that repeats it ([`record`]).

pub mod candidate;
pub mod check;
pub mod check_report;
pub mod record;
#[cfg(test)]
mod typescript;
