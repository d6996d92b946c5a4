//! Frames of every kind, cut anywhere.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;

/// An event that owns its bytes; neighbours of one channel are one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Data(u8, Vec<u8>),
    Resize(u16, u16),
    Closed(u8),
    Fragment,
    End,
    Lost,
}

fn follow<'a>(protocol: Protocol, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Told> {
    let (mut frames, mut told) = (Frames::new(protocol), Vec::new());
    for piece in pieces {
        frames.feed(piece, &mut |event| match event {
            Event::Data { channel, bytes } => {
                assert!(!bytes.is_empty());
                match told.last_mut() {
                    Some(Told::Data(last, all)) if *last == channel => all.extend(bytes),
                    _ => told.push(Told::Data(channel, bytes.to_vec())),
                }
            }
            Event::Resize { columns, rows } => told.push(Told::Resize(columns, rows)),
            Event::Closed(channel) => told.push(Told::Closed(channel)),
            Event::Fragment => told.push(Told::Fragment),
            Event::End => told.push(Told::End),
            Event::Lost(_) => told.push(Told::Lost),
        });
    }
    told
}

fn whole(protocol: Protocol, bytes: &[u8]) -> Vec<Told> {
    follow(protocol, std::iter::once(bytes))
}

fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>, longest: bool) -> Vec<u8> {
    let mut frame = vec![first];
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match payload.len() {
        short @ 0..126 if !longest => frame.push(masked | short as u8),
        middle @ 126..65_536 if !longest => {
            frame.push(masked | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(masked | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    match mask {
        None => frame.extend(payload),
        Some(mask) => {
            frame.extend(mask);
            frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
    }
    frame
}

fn cut<'a>(random: &mut StdRng, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let most = if random.random_bool(0.5) { 3 } else { 9_000 };
        let (piece, rest) = bytes.split_at(random.random_range(1..=most).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// How often: bounded, or in full with `TRUNKLINE_PROVE=1`.
fn rounds(bounded: usize, full: usize) -> usize {
    if std::env::var("TRUNKLINE_PROVE").is_ok_and(|prove| prove == "1") { full } else { bounded }
}

fn filled(random: &mut StdRng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    random.fill(bytes.as_mut_slice());
    bytes
}

/// A conversation of messages, in frames and fragments of all kinds; and what it says.
fn conversation(random: &mut StdRng, protocol: Protocol) -> (Vec<u8>, Vec<Told>) {
    let (mut bytes, mut said) = (Vec::new(), Vec::new());
    let data = |said: &mut Vec<Told>, channel, new: &[u8]| match said.last_mut() {
        Some(Told::Data(last, all)) if *last == channel => all.extend(new),
        _ if new.is_empty() => {}
        _ => said.push(Told::Data(channel, new.to_vec())),
    };
    for _ in 0..random.random_range(1..12) {
        let resize = random.random_bool(0.2);
        let (channel, content) = if resize {
            let (width, height) = (random.random::<u16>(), random.random::<u16>());
            (4, format!(r#"{{"Width":{width},"Height":{height}}}"#).into_bytes())
        } else {
            let length = [0, 1, 7, 125, 126, 300, 65_536][random.random_range(0..7)];
            (random.random_range(0..4u8), filled(random, length))
        };
        let payload = match protocol {
            Protocol::Base64 => [vec![b'0' + channel], STANDARD.encode(&content).into_bytes()].concat(),
            _ => [vec![channel], content.clone()].concat(),
        };
        let pieces = if random.random_bool(0.3) { cut(random, &payload) } else { vec![&payload[..]] };
        let mut passed = 0;
        for (place, piece) in pieces.iter().enumerate() {
            let is_last = place + 1 == pieces.len();
            let kind = if place == 0 { random.random_range(1..=2) } else { 0 };
            let mask = random.random_bool(0.5).then(|| random.random());
            let longest = random.random_bool(0.1);
            bytes.extend(frame(if is_last { 0x80 } else { 0 } | kind, piece, mask, longest));
            if place > 0 {
                said.push(Told::Fragment);
            }
            let before = passed;
            passed += piece.len();
            // Of base64, what four characters are whole; of bytes, all but the channel.
            if !resize {
                let clear = |passed: usize| match protocol {
                    Protocol::Base64 => (passed.saturating_sub(1) / 4 * 3).min(content.len()),
                    _ => passed.saturating_sub(1),
                };
                data(&mut said, channel, &content[clear(before)..clear(passed)]);
            }
            if random.random_bool(0.2) {
                let ping = frame(
                    0x89 + random.random_range(0..=1u8),
                    &[7; 125][..random.random_range(0..=125)],
                    mask,
                    false,
                );
                bytes.extend(ping);
            }
        }
        if resize {
            let size: Size = serde_json::from_slice(&content).unwrap();
            said.push(Told::Resize(size.width, size.height));
        }
    }
    bytes.extend(frame(0x88, &[3, 232], None, false));
    bytes.extend([0xff; 9]);
    said.push(Told::End);
    (bytes, said)
}

#[test]
fn what_is_said_is_followed_however_the_bytes_are_cut() {
    let mut random = StdRng::seed_from_u64(40);
    for round in 0..rounds(30, 1_500) {
        for protocol in [Protocol::Binary, Protocol::BinaryWithClose, Protocol::Base64] {
            let (bytes, said) = conversation(&mut random, protocol);
            assert_eq!(whole(protocol, &bytes), said, "{round} {protocol:?}");
            let pieces = cut(&mut random, &bytes);
            assert_eq!(follow(protocol, pieces.into_iter()), said, "{round} {protocol:?}, in pieces");
        }
    }
}

#[test]
fn any_bytes_say_the_same_however_they_are_cut_and_the_thread_is_lost_once() {
    let mut random = StdRng::seed_from_u64(41);
    for round in 0..rounds(1_000, 30_000) {
        let protocol =
            [Protocol::Binary, Protocol::BinaryWithClose, Protocol::Base64][random.random_range(0..3)];
        let mut bytes: Vec<u8> = (0..random.random_range(0..120)).map(|_| random.random()).collect();
        if random.random_bool(0.5) {
            let (mut good, _) = conversation(&mut random, protocol);
            good.truncate(random.random_range(0..4_000));
            for _ in 0..random.random_range(0..3) {
                if let Some(at) = good.len().checked_sub(1).map(|last| random.random_range(0..=last)) {
                    good[at] = random.random();
                }
            }
            bytes = good;
        }
        let at_once = whole(protocol, &bytes);
        assert_eq!(follow(protocol, bytes.chunks(1)), at_once, "{round}");
        let over = at_once.iter().filter(|told| matches!(told, Told::Lost | Told::End)).count();
        assert!(over <= 1, "{at_once:?}");
    }
}

#[test]
fn a_length_of_64_bits_is_followed_and_nothing_of_it_is_kept() {
    let mut bytes = vec![0x82, 127];
    bytes.extend((1u64 << 40).to_be_bytes());
    bytes.push(1);
    let mut frames = Frames::new(Protocol::Binary);
    frames.feed(&bytes, &mut |event| panic!("{event:?}"));
    let mut seen = 0;
    for _ in 0..100 {
        frames.feed(&[b'x'; 10_000], &mut |event| match event {
            Event::Data { channel: 1, bytes } => seen += bytes.len(),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(seen, 1_000_000);
}

#[test]
fn a_channel_is_closed_in_v5_only() {
    let close = frame(0x82, &[255, 0], None, false);
    assert_eq!(whole(Protocol::BinaryWithClose, &close), [Told::Closed(0)]);
    assert_eq!(whole(Protocol::Binary, &close), [Told::Data(255, vec![0])]);
}

#[test]
fn what_is_no_such_conversation_loses_the_thread() {
    for (what, bytes) in [
        ("an extension's bit", frame(0xc2, b"\x01x", None, false)),
        ("a continuation of nothing", frame(0x80, b"\x01x", None, false)),
        (
            "a message within another",
            [frame(0x02, b"\x01x", None, false), frame(0x82, b"\x01x", None, false)].concat(),
        ),
        ("an unknown kind", frame(0x83, b"\x01x", None, false)),
        ("a long ping", frame(0x89, &[0; 126], None, false)),
        ("a ping in pieces", frame(0x09, b"", None, false)),
        ("a length of 2^63", [&[0x82, 127][..], &[0x80, 0, 0, 0, 0, 0, 0, 0]].concat()),
    ] {
        let told = whole(Protocol::Binary, &bytes);
        assert_eq!(told.last(), Some(&Told::Lost), "{what}: {told:?}");
    }
    for bad in [&b"xQQ=="[..], b"1QQ==QQ==", b"1QQ", b"1Q***"] {
        assert_eq!(
            whole(Protocol::Base64, &frame(0x81, bad, None, false)).last(),
            Some(&Told::Lost),
            "{bad:?}"
        );
    }
}

#[test]
fn protocols_are_known_by_their_names() {
    assert_eq!(Protocol::named("v4.channel.k8s.io"), Some(Protocol::Binary));
    assert_eq!(Protocol::named(" v5.channel.k8s.io"), Some(Protocol::BinaryWithClose));
    assert_eq!(Protocol::named("v4.base64.channel.k8s.io"), Some(Protocol::Base64));
    assert_eq!(Protocol::named(""), Some(Protocol::Binary));
    assert_eq!(Protocol::named("SPDY/3.1+portforward.k8s.io"), None);
}
