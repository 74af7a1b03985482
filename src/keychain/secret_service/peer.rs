//! Who offers the service, as the bus knows it: each has its own needs.

use std::time::Duration;

use super::wire::{Answer, Call, Wire};

/// The bus name of the service.
pub(super) const SERVICE: &str = "org.freedesktop.secrets";
const GNOME_KEYRING: &str = "org.gnome.keyring";
const KEEPASSXC: &str = "org.keepassxc.KeePassXC.MainWindow";

/// What matters about the one that was found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// On a busy machine, messages of a new client may be handled before the client is known. GNOME
    /// Keyring aborts if one of them is OpenSession or gets a property. To others it only answers an
    /// error, and once one is answered, the client is known.
    GnomeKeyring,
    /// KWallet, KeePassXC, or any other.
    Other,
}

/// Who offers the service, and what GNOME Keyring answers to the first call: SearchItems or ReadAlias,
/// which do it no harm. `None` if nobody offers the service yet.
pub(super) fn meet(wire: &mut Wire, first: impl Fn() -> Call) -> Option<(Peer, Answer)> {
    // No other program gets it, and none is started for it.
    let first = || first().only_to(GNOME_KEYRING);
    let [service, other, mut answer] =
        wire.ask([get_owner(SERVICE), get_owner(GNOME_KEYRING), first()])?;
    if !is_same(&service, &other)? {
        return Some((Peer::Other, answer));
    }
    if !answer.is_good() {
        [answer] = wire.ask([first()])?;
    }
    answer.is_good().then_some((Peer::GnomeKeyring, answer))
}

/// Whether the service is KeePassXC.
pub(super) fn is_keepassxc(wire: &mut Wire) -> bool {
    is_also(wire, KEEPASSXC) == Some(true)
}

/// Whether the service is KWallet with an open wallet: then its prompt asks nobody.
pub(super) fn is_open_kwallet(address: &str, limit: Duration) -> bool {
    let is_open = |daemon: &str| {
        let mut wire = Wire::connect(address, limit)?;
        is_also(&mut wire, &format!("org.kde.{daemon}"))?.then_some(())?;
        let path = format!("/modules/{daemon}");
        let call = |member| Call::new(SERVICE, &path, "org.kde.KWallet", member);
        let [wallet] = wire.ask([call("networkWallet")])?;
        let name = wallet.values("s")?.string()?.to_owned();
        let [open] = wire.ask([call("isOpen").with("s", |values| values.string(&name))])?;
        open.values("b")?.boolean()
    };
    ["kwalletd5", "kwalletd6"].into_iter().any(|daemon| is_open(daemon) == Some(true))
}

/// Whether who offers the service has this name on the bus as well; `None` if nobody offers it.
fn is_also(wire: &mut Wire, name: &str) -> Option<bool> {
    let [service, other] = wire.ask([get_owner(SERVICE), get_owner(name)])?;
    is_same(&service, &other)
}

fn get_owner(name: &str) -> Call {
    Call::to_bus("GetNameOwner").with("s", |values| values.string(name))
}

fn is_same(service: &Answer, other: &Answer) -> Option<bool> {
    let owner = |answer: &Answer| Some(answer.values("s")?.string()?.to_owned());
    Some(owner(service)? == owner(other).unwrap_or_default())
}
