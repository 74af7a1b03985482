//! The commands: arguments and stdin to exact stdout, stderr and exit status.

mod keygen;
