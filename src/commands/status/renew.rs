//! `--renew`: the command that the settings name for a login, whether or not it has expired.

use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::logins::renew::not_renewed;

/// Renews the login of a server, or each that has such a command; what failed, one error each.
pub(super) fn all(server: Option<&str>, logins: &mut Logins<'_>) -> Result<Vec<Error>> {
    let records = match server {
        Some(server) => vec![logins.find_login(server)?],
        None => logins.all()?,
    };
    let (mut failed, mut has_none) = (Vec::new(), true);
    for record in records {
        let name = &record.server_url;
        let Some(command) = logins.renew_command(&record)? else {
            if server.is_some() {
                let fact = format!("no command renews the login for {name}");
                let file = logins.settings.file.display();
                return Err(Error::new(Kind::Usage, fact)
                    .hint(format!("set renew under [registry.\"{}\"] in {file}", record.key)));
            }
            continue;
        };
        has_none = false;
        match logins.renew(&record, &command, true) {
            Ok(_) => logins.note(&format!("login for {name} renewed by {}", command.program())),
            Err(why) => failed.push(not_renewed(&record, &why)),
        }
    }
    if has_none {
        let file = logins.settings.file.display();
        let none = format!(
            "no login has a renew command; one is set by renew under [registry.\"HOST\"] in {file}"
        );
        logins.note(&none);
    }
    Ok(failed)
}
