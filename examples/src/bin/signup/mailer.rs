//! Where mails go: a folder, in place of a mail server.

use std::fs;
use std::io;
use std::path::PathBuf;

pub(crate) struct Mailer {
    folder: PathBuf,
}

impl Mailer {
    pub(crate) fn into_folder(folder: impl Into<PathBuf>) -> io::Result<Mailer> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        Ok(Mailer { folder })
    }

    /// Mails of one `id` are one mail, however often it is sent.
    pub(crate) fn send(&self, id: &str, to: &str, subject: &str, text: &str) -> io::Result<()> {
        let mail = format!(
            "From: Signup <hello@example.org>\n\
             To: {to}\n\
             Subject: {subject}\n\
             Message-ID: <{id}@example.org>\n\
             Content-Type: text/plain; charset=utf-8\n\
             \n\
             {text}"
        );
        fs::write(self.folder.join(format!("{id}.eml")), mail)
    }
}
