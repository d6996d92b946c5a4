use super::*;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use tokio::io::AsyncWriteExt as _;

/// Reads a header that is all there is.
fn header(bytes: &[u8]) -> Result<Option<SocketAddr>, HeaderFault> {
    let (fixed, rest) = bytes.split_first_chunk().ok_or(HeaderFault::TooShort)?;
    let beginning = Beginning::read(fixed)?;
    if rest.len() != beginning.length {
        return Err(HeaderFault::TooShort);
    }
    beginning.source(rest)
}

/// A header from its parts.
fn made(command: u8, protocol: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, protocol], &length, rest].concat()
}

const V4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0x30, 0x39, 0x20, 0xfb];

fn v6() -> Vec<u8> {
    let source: Ipv6Addr = "2001:db8::7".parse().unwrap();
    [&source.octets()[..], &[0; 15], &[1], &[0x30, 0x39, 0x20, 0xfb]].concat()
}

fn mapped() -> Vec<u8> {
    let mut v6 = v6();
    v6[..16].copy_from_slice(&Ipv4Addr::new(192, 0, 2, 7).to_ipv6_mapped().octets());
    v6
}

fn field(kind: u8, length: u16, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &length.to_be_bytes(), value].concat()
}

#[test]
fn a_header_says_whom_the_balancer_speaks_for() {
    let good = [
        ("IPv4", made(0x21, 0x11, &V4), Some("192.0.2.7:12345")),
        ("IPv6", made(0x21, 0x21, &v6()), Some("[2001:db8::7]:12345")),
        ("IPv4 within IPv6", made(0x21, 0x21, &mapped()), Some("192.0.2.7:12345")),
        ("the balancer itself", made(0x20, 0x00, &[]), None),
        ("itself, with addresses that are not read", made(0x20, 0x11, &V4[..5]), None),
        ("itself, by whatever protocol", made(0x20, 0xff, &[7; 9]), None),
        ("nobody's address", made(0x21, 0x00, &[]), None),
        ("nobody's address, with a rest", made(0x21, 0x00, &[1, 2, 3]), None),
        ("a field", made(0x21, 0x11, &[&V4[..], &field(4, 3, b"abc")].concat()), Some("192.0.2.7:12345")),
        (
            "two fields, one of nothing",
            { made(0x21, 0x11, &[&V4[..], &field(0xea, 0, b""), &field(2, 2, b"ab")].concat()) },
            Some("192.0.2.7:12345"),
        ),
        (
            "the longest",
            { made(0x21, 0x11, &[&V4[..], &field(4, 4081, &[0; 4081])].concat()) },
            Some("192.0.2.7:12345"),
        ),
    ];
    for (name, bytes, from) in good {
        assert_eq!(header(&bytes), Ok(from.map(|from| from.parse().unwrap())), "{name}");
    }
}

/// Headers that are none, by name.
fn malformed() -> Vec<(String, Vec<u8>)> {
    let (v4, v6) = (made(0x21, 0x11, &V4), made(0x21, 0x21, &v6()));
    let edited = |bytes: &[u8], at: usize, byte: u8| {
        let mut bytes = bytes.to_vec();
        bytes[at] = byte;
        bytes
    };
    let mut table: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| table.push((name.to_owned(), bytes));
    for at in 0..12 {
        add(&format!("byte {at} of the signature is another"), edited(&v4, at, b'X'));
    }
    for version in [0, 1, 3, 4, 8, 15] {
        add(&format!("version {version}"), edited(&v4, 12, version << 4 | 1));
    }
    for command in [2, 3, 7, 15] {
        add(&format!("command {command}"), edited(&v4, 12, 0x20 | command));
    }
    for (name, protocol) in [
        ("UDP over IPv4", 0x12),
        ("UDP over IPv6", 0x22),
        ("a Unix stream", 0x31),
        ("a Unix datagram", 0x32),
        ("TCP over nothing", 0x01),
        ("IPv4 without a protocol", 0x10),
        ("IPv6 without a protocol", 0x20),
        ("IPv4 by protocol 3", 0x13),
        ("a family that does not exist", 0x41),
        ("all ones", 0xff),
    ] {
        add(name, edited(&v4, 13, protocol));
    }
    for length in [0, 1, 4, 8, 11] {
        add(&format!("IPv4 in {length} bytes"), made(0x21, 0x11, &V4[..length]));
    }
    for length in [0, 12, 16, 32, 35] {
        add(&format!("IPv6 in {length} bytes"), made(0x21, 0x21, &v6[FIXED..FIXED + length]));
    }
    for (name, fields) in [
        ("half a field's head", vec![4]),
        ("a field's head without its length", vec![4, 0]),
        ("a field longer than the header", field(4, 4, b"abc")),
        ("a field as long as can be", field(4, 0xffff, b"")),
        ("something behind the last field", [field(4, 1, b"a"), vec![9]].concat()),
        ("a second field that is cut off", [field(4, 1, b"a"), field(5, 2, b"a")].concat()),
    ] {
        add(name, made(0x21, 0x11, &[&V4[..], &fields].concat()));
    }
    add("longer than a header may be", made(0x21, 0x11, &[&V4[..], &field(4, 4082, &[0; 4082])].concat()));
    add("as long as can be said", made(0x21, 0x11, &[0; 0xffff]));
    add("itself, as long as can be said", made(0x20, 0x00, &[0; 0xffff]));
    add("from nowhere", edited(&edited(&edited(&v4, 16, 0), 18, 0), 19, 0));
    add("from a group", edited(&v4, 16, 224));
    add("from nowhere in IPv6", made(0x21, 0x21, &[0; 36]));
    add("from a group in IPv6", edited(&v6, 16, 0xff));
    add("version 1, in text", b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 8443\r\n".to_vec());
    add("a TLS hello", [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 40]].concat());
    add("an HTTP request", b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec());
    table
}

#[test]
fn what_is_no_header_is_refused() {
    let table = malformed();
    assert!(table.len() >= 40, "{}", table.len());
    for (name, bytes) in table {
        assert!(header(&bytes).is_err(), "{name}");
    }
}

#[tokio::test]
async fn what_is_no_header_is_refused_as_it_comes_in() {
    let balancers = Balancers::new(&["127.0.0.0/8".parse().unwrap()]);
    for (name, bytes) in malformed() {
        let mut read = &bytes[..];
        let origin = balancers.origin(&mut read, ([127, 0, 0, 1], 9).into()).await;
        assert!(origin.is_err(), "{name}");
    }
}

#[tokio::test]
async fn any_part_of_a_header_is_waited_for_and_not_a_byte_more_is_taken() {
    let balancers = Balancers::new(&["10.0.0.0/8".parse().unwrap()]);
    let from = SocketAddr::from(([10, 1, 2, 3], 9));
    let whole = made(0x21, 0x11, &[&V4[..], &field(4, 3, b"abc")].concat());
    for end in 0..whole.len() {
        assert!(balancers.origin(&mut &whole[..end], from).await.is_err(), "{end} bytes are whole");
    }
    let (mut balancer, mut door) = tokio::io::duplex(1);
    let saying = async {
        balancer.write_all(&whole).await.unwrap();
        balancer.write_all(b"TLS").await.unwrap();
        drop(balancer);
    };
    let hearing = async {
        let origin = balancers.origin(&mut door, from).await.unwrap();
        let mut rest = Vec::new();
        door.read_to_end(&mut rest).await.unwrap();
        (origin, rest)
    };
    let (_, (origin, rest)) = tokio::join!(saying, hearing);
    assert_eq!((origin, &rest[..]), ("192.0.2.7:12345".parse().unwrap(), &b"TLS"[..]));
}

#[tokio::test]
async fn nobody_but_a_listed_balancer_is_read_from() {
    let balancers = Balancers::new(&["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
    for (from, listed) in [
        ("10.255.255.255:1", true),
        ("[::ffff:10.0.0.1]:1", true),
        ("[2001:db8::1]:1", true),
        ("11.0.0.0:1", false),
        ("[2001:db9::1]:1", false),
        ("[::ffff:192.0.2.7]:1", false),
        ("127.0.0.1:1", false),
    ] {
        let whole = made(0x21, 0x11, &V4);
        let mut read = &whole[..];
        let from: SocketAddr = from.parse().unwrap();
        let origin = balancers.origin(&mut read, from).await.unwrap();
        let expected = if listed { "192.0.2.7:12345".parse().unwrap() } else { from };
        assert_eq!((origin, read.is_empty()), (expected, listed), "{from}");
    }
}

/// Of random headers, and of good ones that were changed, those are taken that a second reading, by the text of the
/// specification and byte by byte, takes, and with the same source.
#[test]
fn whatever_comes_is_read_as_the_specification_says() {
    let mut random = rand::rngs::StdRng::seed_from_u64(2);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let command = if random.random_bool(0.8) { 0x21 } else { random.random() };
        let protocol = [0x11, 0x21, 0x00, random.random()][random.random_range(0..4)];
        let mut rest = if protocol == 0x21 { v6() } else { V4.to_vec() };
        random.fill_bytes(&mut rest);
        for _ in 0..random.random_range(0..3) {
            let mut value = vec![0; random.random_range(0..20)];
            random.fill_bytes(&mut value);
            rest.extend(field(random.random(), value.len() as u16, &value));
        }
        let mut bytes = made(command, protocol, &rest);
        for _ in 0..random.random_range(0..2) {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }
        if random.random_bool(0.1) {
            bytes.truncate(random.random_range(0..bytes.len()));
        }
        let read = header(&bytes);
        assert_eq!(read.ok(), by_the_book(&bytes), "{bytes:02x?}");
        *if read.is_ok() { &mut taken } else { &mut refused } += 1;
    }
    assert!(taken > 2000 && refused > 2000, "{taken} taken, {refused} refused");
}

/// `Some(None)` for a header by which the balancer speaks for itself.
#[expect(clippy::option_option, reason = "no header, nobody's header, somebody's header")]
fn by_the_book(bytes: &[u8]) -> Option<Option<SocketAddr>> {
    if bytes.len() < 16 || bytes[..12] != *b"\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A" {
        return None;
    }
    let length = usize::from(bytes[14]) * 256 + usize::from(bytes[15]);
    if length > 4096 || bytes.len() != 16 + length {
        return None;
    }
    match bytes[12] {
        0x20 => return Some(None),
        0x21 => {}
        _ => return None,
    }
    let (size, address) = match bytes[13] {
        0x00 => return Some(None),
        0x11 if length >= 12 => (4, IpAddr::V4(Ipv4Addr::new(bytes[16], bytes[17], bytes[18], bytes[19]))),
        0x21 if length >= 36 => {
            let mut groups = [0_u16; 8];
            for (at, group) in groups.iter_mut().enumerate() {
                *group = u16::from(bytes[16 + 2 * at]) * 256 + u16::from(bytes[17 + 2 * at]);
            }
            (16, IpAddr::V6(groups.into()))
        }
        _ => return None,
    };
    let port = u16::from(bytes[16 + 2 * size]) * 256 + u16::from(bytes[17 + 2 * size]);
    let mut at = 16 + 2 * size + 4;
    while at < bytes.len() {
        if at + 3 > bytes.len() {
            return None;
        }
        at += 3 + usize::from(bytes[at + 1]) * 256 + usize::from(bytes[at + 2]);
    }
    let address = address.to_canonical();
    let host = !address.is_unspecified() && !address.is_multicast();
    (at == bytes.len() && host).then_some(Some(SocketAddr::new(address, port)))
}
