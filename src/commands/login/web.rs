//! `login --web`: shows a code and a page, and waits for the person who enters it there.

use crate::browser;
use crate::error::Result;
use crate::logins::Logins;
use crate::text::printable;

pub(super) fn run(server: &str, logins: &mut Logins<'_>) -> Result<()> {
    let login = logins.start_web_login(server)?;
    let shown = &login.shown;
    let page = printable(shown.page.as_str(), usize::MAX);
    let mut text = format!("To log in, open {page}\nand enter the code {}\n", shown.user_code);
    // Another site's page is shown, and not opened before anybody has read where it is.
    if shown.is_on_its_site {
        if shown.complete_page.as_ref().is_some_and(browser::open) {
            text.push_str(
                "The page was opened in your browser: check that it shows the same code.\n",
            );
        } else if browser::open(&shown.page) {
            text.push_str("The page was opened in your browser.\n");
        }
    }
    // Having nobody to tell is no reason to fail.
    let _unseen = logins.notes.write_all(text.as_bytes()).and_then(|()| logins.notes.flush());
    logins.finish_web_login(login)
}
