//! Keychains: one contract, on each kind, in every kind of process.

mod age_file;
mod agent;
mod contract;
mod fake_service;
mod gnome_keyring;
mod keepassxc;
mod kernel;
mod kwallet;
mod kwallet_faults;
mod memory;
mod out_of_reach;
