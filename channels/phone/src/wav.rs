//! Sound as telephones take it: WAV, 8 kHz, mono, 16 bit.

/// What telephones take, in samples a second.
const RATE: u32 = 8_000;

/// `wav` (mono, 16 bit, any rate) at 8 kHz; `None` when it is something else.
pub(crate) fn telephone(wav: &[u8]) -> Option<Vec<u8>> {
    let (rate, samples) = read(wav)?;
    let resampled = resample(&samples, rate);
    Some(write(&resampled))
}

fn read(wav: &[u8]) -> Option<(u32, Vec<i16>)> {
    if wav.get(..4)? != b"RIFF" || wav.get(8..12)? != b"WAVE" {
        return None;
    }
    let mut rest = wav.get(12..)?;
    let mut rate = None;
    loop {
        let (head, body) = rest.split_at_checked(8)?;
        let length = usize::try_from(u32::from_le_bytes(head.get(4..8)?.try_into().ok()?)).ok()?;
        match head.get(..4)? {
            b"fmt " => {
                let half = |at: usize| Some(u16::from_le_bytes(body.get(at..at + 2)?.try_into().ok()?));
                // PCM, one channel, 16 bits.
                if (half(0)?, half(2)?, half(14)?) != (1, 1, 16) {
                    return None;
                }
                rate = Some(u32::from_le_bytes(body.get(4..8)?.try_into().ok()?));
            }
            b"data" => {
                // A stream's length is not known when its head is written.
                let sound = body.get(..length).unwrap_or(body);
                let samples = sound.chunks_exact(2).filter_map(|pair| Some(i16::from_le_bytes(pair.try_into().ok()?)));
                return Some((rate.filter(|rate| (4_000..=96_000).contains(rate))?, samples.collect()));
            }
            _ => {}
        }
        rest = body.get(length + length % 2..)?;
    }
}

/// Each new sample is the mean of those it stands for: enough of a filter for speech.
fn resample(samples: &[i16], rate: u32) -> Vec<i16> {
    if rate == RATE || samples.is_empty() {
        return samples.to_vec();
    }
    let (from, to) = (u64::from(rate), u64::from(RATE));
    let length = samples.len() as u64 * to / from;
    let place = |at: u64| usize::try_from(at * from / to).unwrap_or(usize::MAX);
    (0..length)
        .map(|at| {
            let first = place(at).min(samples.len() - 1);
            let last = place(at + 1).clamp(first + 1, samples.len());
            let window = samples.get(first..last).unwrap_or_default();
            let sum: i64 = window.iter().map(|sample| i64::from(*sample)).sum();
            i16::try_from(sum / i64::try_from(window.len().max(1)).unwrap_or(1)).unwrap_or_default()
        })
        .collect()
}

fn write(samples: &[i16]) -> Vec<u8> {
    let length = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let mut wav = Vec::with_capacity(44 + samples.len() * 2);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16_u32.to_le_bytes());
    wav.extend_from_slice(&1_u16.to_le_bytes());
    wav.extend_from_slice(&1_u16.to_le_bytes());
    wav.extend_from_slice(&RATE.to_le_bytes());
    wav.extend_from_slice(&(RATE * 2).to_le_bytes());
    wav.extend_from_slice(&2_u16.to_le_bytes());
    wav.extend_from_slice(&16_u16.to_le_bytes());
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&length.to_le_bytes());
    for sample in samples {
        wav.extend_from_slice(&sample.to_le_bytes());
    }
    wav
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_of_any_rate_becomes_what_a_telephone_takes() {
        let mut wav = write(&vec![1_000; 22_050]);
        wav[24..28].copy_from_slice(&22_050_u32.to_le_bytes());
        // A stream says it has no end.
        wav[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
        let (rate, samples) = read(&telephone(&wav).unwrap()).unwrap();
        assert_eq!((rate, samples.len()), (8_000, 8_000));
        assert!(samples.iter().all(|sample| *sample == 1_000));
    }

    #[test]
    fn what_is_no_sound_is_none() {
        for bytes in [b"" as &[u8], b"RIFF", b"RIFF\0\0\0\0WAVEfmt ", &[0; 100]] {
            assert_eq!(telephone(bytes), None);
        }
    }
}
