//! The process that other tests start; by itself it shows its script on the memory keychain.

use crate::support::keychains::agent::act;
use crate::support::keychains::memory::Memory;

#[test]
fn acts() {
    let memory = Memory::new();
    let open = |name: &_, profile: &str, _: &_| memory.keychain(Clone::clone(name), profile);
    let answers = act(open, "unlock\nput a alice t1\nget a\nlist\ndelete a\nget a");
    if std::env::var_os("AGENT_SCRIPT").is_none() {
        let absent = "absent: no such login in the keychain";
        assert_eq!(answers, ["ok", "ok", "alice t1", "a=alice", "ok", absent]);
    }
}
