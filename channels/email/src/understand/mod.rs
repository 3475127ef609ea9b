//! One mail understood: bytes in, plain owned values out. Pure, and it never fails on what is merely odd.
//!
//! The house's own walker splits a mail into its parts (`entity`, `walk`); mail-parser decodes base64, dates
//! and the rarer charsets behind it. Its tree is not used, because it nests one value inside another for each
//! `message/rfc822`: a mail of 3 MB made of nothing but such headers overflows the stack when the tree is dropped, and
//! no `catch_unwind` survives that. Here an enclosed message is one attachment and is not opened, a multipart is
//! opened to [`Limits::nesting`] levels, and what is over any limit is cut and said so in [`Mail::notes`].
//!
//! To understand one more thing of a mail: add the field to [`Mail`], fill it in `read_headers` (a header) or in
//! `bodies` (a part), and give the corpus test in `tests/mime.rs` what the field should have been.

mod address;
mod attachment;
mod body;
mod charset;
mod entity;
mod header;
mod html;
mod identity;
mod limits;
mod mail;
mod parameter;
mod read;
mod text;
mod tnef;
mod transfer;
mod tree;
mod unlabelled;
mod uuencode;
mod walk;

pub use address::addresses;
pub use html::{sanitise, to_text};
pub use identity::{Keys, fold_id, keys, message_ids};
pub use limits::{Limits, Unreadable};
pub use mail::{
    ADDRESS_LIMIT, Attachment, AttachmentKind, HeaderField, Mail, Mailbox, PlusToken, ReturnPath, is_routable,
};
pub use read::{understand, understand_caught};
pub use tree::tree;
