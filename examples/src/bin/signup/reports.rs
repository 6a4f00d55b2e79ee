//! Where reports lie: a folder of CSV files.

use std::io;
use std::path::PathBuf;

use tokio::fs;

use crate::database::User;

#[derive(Clone)]
pub(crate) struct Reports {
    folder: PathBuf,
}

impl Reports {
    pub(crate) fn in_folder(folder: impl Into<PathBuf>) -> io::Result<Reports> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        Ok(Reports { folder })
    }

    pub(crate) async fn write(&self, file: &str, users: &[User]) -> io::Result<()> {
        let lines =
            users.iter().map(|user| format!("{},{},{}\n", user.id, quoted(&user.name), quoted(&user.email)));
        let csv = "id,name,email\n".to_owned() + &lines.collect::<String>();
        fs::write(self.folder.join(file), csv).await
    }

    pub(crate) async fn read(&self, file: &str) -> io::Result<String> {
        fs::read_to_string(self.folder.join(file)).await
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
