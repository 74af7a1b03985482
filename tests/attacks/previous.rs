//! A login from before, which nothing that fails may touch.

use crate::support::user::User;

pub struct Previous {
    key: String,
    token: String,
    records: Vec<u8>,
}

impl Previous {
    /// Kept as a client's own token, without network.
    pub fn login(user: &User, key: &str) -> Self {
        let token = format!("previous-token-for-{}", user.profile());
        user.store(key, "<token>", &token).succeeded();
        let records = std::fs::read(user.records_file()).unwrap();
        Self { key: key.to_owned(), token, records }
    }

    /// Byte for byte, in keychain and records, with nothing left beside them.
    #[track_caller]
    pub fn survives(&self, user: &User) {
        assert_eq!(user.kept(&self.key).as_deref(), Some(self.token.as_str()));
        assert_eq!(std::fs::read(user.records_file()).unwrap(), self.records);
        let entries = std::fs::read_dir(user.state()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["logins.json", "logins.lock"]);
        assert_eq!(user.keychain().list().unwrap().logins.len(), 1);
    }
}
