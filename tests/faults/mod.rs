//! What goes wrong by itself: the network, the server, and what is at the other end of the pipes.

mod command_sweep;
mod crowd;
mod deadlines;
mod file;
mod kernel;
mod network;
mod no_network;
mod protocol;
mod sweep;
