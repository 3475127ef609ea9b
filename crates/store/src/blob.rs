//! Bytes as they came: packed when that helps, named by what is in them.

use std::cell::RefCell;

use guichet_domain::Moment;
use ring::digest;
use zstd::bulk::Compressor;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Row, queries};

/// Zstandard's level: its own default.
const LEVEL: i32 = 3;
/// Up to this many bytes a thread keeps its tables for the next: setting them up costs as much as packing a mail.
/// What is larger would leave each thread with megabytes.
const KEPT_UP_TO: usize = 256 * 1024;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

queries! {
    GET = "SELECT codec, size, bytes FROM blob WHERE hash = $1";
}

/// SHA-256 of the unpacked bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash(pub [u8; 32]);

impl BlobHash {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        for (slot, byte) in hash.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()) {
            *slot = *byte;
        }
        Self(hash)
    }

    /// 64 hexadecimal digits: its name when it is a file.
    pub fn hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        bytes.try_into().map(Self).map_err(|_| StoreError::corrupt("a blob's hash has another length"))
    }
}

impl std::fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// As they are.
    Plain,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Codec {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Zstd => "zstd",
        }
    }

    /// The codec with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Plain, Self::Zstd].into_iter().find(|codec| codec.as_str() == word)
    }
}

/// Bytes ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Their name.
    pub hash: BlobHash,
    /// How they are packed.
    pub codec: Codec,
    /// Octets before packing.
    pub size: u64,
    /// The packed bytes; `None` when they lie in a file of the state folder under [`BlobHash::hex`].
    pub bytes: Option<Vec<u8>>,
    /// When.
    pub created_at: Moment,
}

/// Bytes that were stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// How they are packed.
    pub codec: Codec,
    /// Octets before packing.
    pub size: u64,
    /// The packed bytes; `None` when they lie in a file.
    pub bytes: Option<Vec<u8>>,
}

/// Packs bytes: compressed when that makes them smaller. Takes about 5 ms a mebibyte; bytes over some mebibytes belong on
/// a thread that may block.
pub fn pack(bytes: &[u8], now: Moment) -> Packed {
    let compressed = compress(bytes).ok().filter(|packed| packed.len() < bytes.len());
    let (codec, packed) = match compressed {
        Some(packed) => (Codec::Zstd, packed),
        None => (Codec::Plain, bytes.to_vec()),
    };
    let size = bytes.len() as u64;
    Packed { hash: BlobHash::of(bytes), codec, size, bytes: Some(packed), created_at: now }
}

/// The bytes as they were. `size` is what was promised: what unpacks to more is damaged, and never fills the memory.
pub fn unpack(codec: Codec, packed: &[u8], size: u64) -> Result<Vec<u8>, StoreError> {
    let size = usize::try_from(size).map_err(|_| StoreError::corrupt("a blob larger than memory"))?;
    let bytes = match codec {
        Codec::Plain => packed.to_vec(),
        Codec::Zstd => zstd::bulk::decompress(packed, size)
            .map_err(|error| StoreError::corrupt(format!("a blob does not unpack: {error}")))?,
    };
    if bytes.len() == size { Ok(bytes) } else { Err(StoreError::corrupt("a blob unpacks to another size")) }
}

/// A file under its hash, still packed; `None` when it was never stored or was pruned. (Raw bytes of items are read with
/// [`raw`](crate::inbound::raw).)
pub async fn get(tx: &mut Tx, hash: &BlobHash) -> Result<Option<Stored>, StoreError> {
    sql::row(tx, GET, &[hash.0.as_slice().into()]).await?.as_ref().map(read).transpose()
}

fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    if bytes.len() > KEPT_UP_TO {
        return zstd::bulk::compress(bytes, LEVEL);
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        let mut compressor = kept.take().map_or_else(|| Compressor::new(LEVEL), Ok)?;
        // One that failed is not used again.
        let packed = compressor.compress(bytes)?;
        *kept = Some(compressor);
        Ok(packed)
    })
}

pub(crate) fn read(row: &Row) -> Result<Stored, StoreError> {
    let size: i64 = row.get("size")?;
    Ok(Stored {
        codec: row.word("codec", Codec::parse)?,
        size: u64::try_from(size).unwrap_or_default(),
        bytes: row.get("bytes")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_gets_smaller_and_comes_back_as_it_was() {
        let text = b"Return-Path: <a@x.test>\r\n".repeat(200);
        let packed = pack(&text, Moment::EARLIEST);
        let bytes = packed.bytes.unwrap();
        assert!(bytes.len() < text.len() / 10);
        assert_eq!(unpack(packed.codec, &bytes, packed.size).unwrap(), text);
    }

    #[test]
    fn one_packing_leaves_no_trace_in_the_next() {
        let mails: Vec<Vec<u8>> =
            (1..40_usize).map(|n| format!("From: p{n}@x.test\r\n").repeat(n * n * 10).into()).collect();
        for mail in mails.iter().chain(mails.iter().rev()) {
            let packed = pack(mail, Moment::EARLIEST);
            assert_eq!(&unpack(packed.codec, &packed.bytes.unwrap(), packed.size).unwrap(), mail);
        }
    }

    #[test]
    fn what_does_not_get_smaller_stays_as_it_is() {
        let packed = pack(b"x", Moment::EARLIEST);
        assert_eq!((packed.codec, packed.bytes.as_deref()), (Codec::Plain, Some(b"x".as_slice())));
        assert_eq!(packed.hash.hex(), "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
    }

    #[test]
    fn bytes_that_unpack_to_more_than_they_said_are_refused() {
        let packed = pack(&vec![0; 100_000], Moment::EARLIEST);
        let error = unpack(packed.codec, &packed.bytes.unwrap(), 99).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
    }
}
