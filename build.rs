//! What a `get` need not wait for each time, and what is never read, where the program is linked for
//! the machine that builds it, with GNU's C library. Whoever chooses a linker gets none of it.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let is_native = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    let is_gnu = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_native && is_gnu && env::var_os("RUSTC_LINKER").is_none() {
        link_unwinder_in();
        pack_relocations();
        leave_unwinding_out();
    }
}

/// The standard library asks for libgcc_s, for a backtrace that is never made. To find and load it
/// takes 0.1 ms; its static half takes the place of it, by the name that the linker looks for.
fn link_unwinder_in() {
    let Some(archive) = said_by(Command::new("cc").arg("-print-file-name=libgcc_eh.a")) else {
        return;
    };
    // Only the name comes back if there is none.
    if Path::new(&archive).is_absolute() {
        let folder = env::var("OUT_DIR").expect("cargo sets it");
        let script = format!("INPUT(\"{archive}\")\n");
        fs::write(Path::new(&folder).join("libgcc_s.so"), script).expect("write a linker script");
        println!("cargo::rustc-link-search=native={folder}");
    }
}

/// The tables for unwinding the stack, of 0.6 MB, and their index: a panic aborts, and no backtrace is
/// made. The linkers of GNU and LLVM drop what a script names; another one might not know scripts.
fn leave_unwinding_out() {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if flags.contains("link") {
        return;
    }
    let folder = env::var("OUT_DIR").expect("cargo sets it");
    let script = Path::new(&folder).join("no-unwinding.ld");
    let content = "SECTIONS { /DISCARD/ : { *(.eh_frame) } } INSERT BEFORE .text;\n";
    fs::write(&script, content).expect("write a linker script");
    println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr,-T,{}", script.display());
}

/// 7,000 addresses are in a bitmap instead of a table, 160 KB less to read. Loaders know that since
/// glibc 2.36; linkers that do not know it go on without.
fn pack_relocations() {
    let said = said_by(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    let version = said.as_deref().and_then(|said| said.strip_prefix("glibc 2."));
    if version.and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor >= 36) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

fn said_by(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
