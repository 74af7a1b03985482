//! Keychains: one contract, on each kind, in every kind of process.

mod age_file;
mod agent;
mod auto;
mod contract;
mod fake_service;
mod first_logins;
mod gnome_keyring;
mod helper;
mod keepassxc;
mod kernel;
mod kwallet;
mod kwallet_faults;
mod memory;
mod out_of_reach;
mod pass;
mod pass_as_fallback;
