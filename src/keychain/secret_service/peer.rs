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
    /// The first message of a client may be handled before the client is known, if another one
    /// leaves at that moment. GNOME Keyring aborts if that is OpenSession or gets a property.
    GnomeKeyring,
    /// KWallet, KeePassXC, or any other.
    Other,
}

/// Who offers the service; `None` if nobody does yet.
pub(super) fn meet(wire: &mut Wire) -> Option<Peer> {
    // A first message that does no harm, sent long before the first call; only GNOME Keyring gets
    // it. It makes a client known for a signal too, which unlike a call it does not answer.
    wire.tell(&Call::signal(GNOME_KEYRING, "/", "docker_credential_refresh.Client", "Comes"));
    let is_gnome_keyring = is_also(wire, GNOME_KEYRING)?;
    Some(if is_gnome_keyring { Peer::GnomeKeyring } else { Peer::Other })
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
    let owner = |name| Call::to_bus("GetNameOwner").with("s", |values| values.string(name));
    let [service, other] = wire.ask([owner(SERVICE), owner(name)])?;
    let owner = |answer: &Answer| Some(answer.values("s")?.string()?.to_owned());
    Some(owner(&service)? == owner(&other).unwrap_or_default())
}
