//! What goes wrong by itself: the network, the server, and what is at the other end of the pipes.

mod deadlines;
mod kernel;
mod network;
mod no_network;
mod protocol;
