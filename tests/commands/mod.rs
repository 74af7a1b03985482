//! The commands for people and scripts: arguments and stdin to stdout, stderr and exit status.

mod command;
mod doctor;
mod status;
mod trace;
