//! A real seccomp filter, as containers have one: by perl, which every Debian and Ubuntu has, because
//! this project has no unsafe code and util-linux puts one on only since 2.40.

/// asm/unistd.h: add_key, request_key, keyctl and prctl.
#[cfg(target_arch = "x86_64")]
const NUMBERS: [(&str, u32); 4] =
    [("add_key", 248), ("request_key", 249), ("keyctl", 250), ("prctl", 157)];
#[cfg(not(target_arch = "x86_64"))]
const NUMBERS: [(&str, u32); 4] =
    [("add_key", 217), ("request_key", 218), ("keyctl", 219), ("prctl", 167)];

/// Loads the call's number; jumps over the end that allows it to the one that answers the error;
/// PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP.
const PERL: &str = r#"
    my ($prctl, $errno, @calls) = split ",", shift;
    my $filter = pack "SCCL", 0x20, 0, 0, 0;
    $filter .= pack "SCCL", 0x15, @calls - $_, 0, $calls[$_] for 0 .. $#calls;
    $filter .= pack "SCCL" x 2, 0x06, 0, 0, 0x7fff0000, 0x06, 0, 0, 0x00050000 | $errno;
    my $program = pack "S x![P] P", @calls + 3, $filter;
    syscall($prctl + 0, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
    syscall($prctl + 0, 22, 2, $program) == 0 or die "seccomp: $!";
    exec @ARGV or die "exec: $!";
"#;

/// A program to run others under, in which these calls answer an error of this number.
pub fn forbidding(calls: &[&str], errno: u32) -> Vec<String> {
    let number = |call: &str| NUMBERS.iter().find(|(name, _)| *name == call).unwrap().1;
    let numbers = [number("prctl"), errno].into_iter().chain(calls.iter().map(|call| number(call)));
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    ["perl", "-e", PERL, &numbers.join(",")].map(str::to_owned).to_vec()
}
