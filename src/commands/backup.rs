//! `guichet backup`: a whole copy of the database, beside a running daemon.

use serde_json::json;

use super::cli::BackupArgs;
use super::{Context, Failure};

/// Writes the copy. Never over a file that is there.
pub async fn backup(context: &Context, args: &BackupArgs) -> Result<(), Failure> {
    let file = &args.file;
    if file.exists() {
        return Err(Failure::new(format!("{} exists already", file.display()), "name a file that does not exist yet"));
    }
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(Failure::new(format!("{} is no folder", folder.display()), "make it, or name another"));
    }
    let db = context.database().await?;
    db.backup(file).await.map_err(|error| {
        // Half a copy is worse than none: it looks like one.
        drop(std::fs::remove_file(file));
        Failure::new(&error, "see that its folder can be written and has room for a copy of the database")
    })?;
    db.close().await;
    let size = std::fs::metadata(file).map_or(0, |found| found.len());
    let blobs = context.state()?.blobs();
    if context.output.is_json() {
        let blobs = blobs.exists().then(|| blobs.display().to_string());
        return Ok(context.output.value(&json!({"file": file, "bytes": size, "also_copy": blobs}))?);
    }
    context.output.line(&format!("{}: {} KiB, a whole copy of the database", file.display(), size.div_ceil(1024)))?;
    if blobs.exists() {
        context
            .output
            .remark(&format!("large messages lie in {}: copy that folder too, after the database", blobs.display()));
    }
    Ok(())
}
